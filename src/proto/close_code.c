#include "proto/close_code.h"

bool coho__close_code_valid(uint32_t code) {
  if (code >= 3000) return code <= 4999;
  return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014);
}

bool coho__close_code_sendable(int code, coho_role role) {
  if (code == COHO_CODE_MANDATORY_EXTENSION && role == COHO_SERVER) return false;
  return code > 0 && coho__close_code_valid((uint32_t)code);
}
