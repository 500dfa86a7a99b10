/*
 * The access log: coho_access of coho/log.h, made of what a peer sent.
 */
#ifndef COHO_HTTP_ACCESS_H
#define COHO_HTTP_ACCESS_H

#include "base/view.h"

enum {
  COHO_ACCESS_REQUEST = 640, /* room for coho__access_request() */
  COHO_ACCESS_TARGET = 600   /* for coho__access_target() */
};

/* A target as it may be shown: without secrets, escaped, cut. Terminated; returns dst. */
const char *coho__access_target(char dst[COHO_ACCESS_TARGET], struct coho__view target);

/* "METHOD TARGET" as it may stand in a log. Terminated; returns dst. */
const char *coho__access_request(char dst[COHO_ACCESS_REQUEST], struct coho__view method,
                                 struct coho__view target);

#endif
