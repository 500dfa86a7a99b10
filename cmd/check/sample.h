/* Data that cases send: the same in every run, and never the same at two places near each other. */
#ifndef COHO_CMD_CHECK_SAMPLE_H
#define COHO_CMD_CHECK_SAMPLE_H

#include "bytes.h"

enum sample {
  SAMPLE_ASCII,  /* printable characters */
  SAMPLE_BINARY, /* all bytes, hardly to be compressed */
  SAMPLE_JSON,   /* records, compresses well */
  SAMPLE_IMAGE,  /* gradients with noise, as in a bitmap */
  SAMPLE_PROSE,  /* words */
  SAMPLE_MARKUP  /* nested tags around words */
};

/* Appends exactly len bytes. Text but for BINARY and IMAGE. */
void sample_add(struct bytes *out, enum sample kind, size_t len);

#endif
