#include <coho/version.h>

const char *coho_version(void) { return COHO_VERSION; }
