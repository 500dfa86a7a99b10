/* The options of coho serve: what --config, help and the manual page know of them, too. */
#ifndef COHO_CMD_SERVE_OPTIONS_H
#define COHO_CMD_SERVE_OPTIONS_H

#include "accesslog.h"
#include "admin.h"
#include "deflate.h"
#include "ingress.h"
#include "limit.h"
#include "tls.h"
#include "topics.h"

struct serve_values {
  struct option_list listen;
  struct option_list origin;
  const char *root;
  const char *deflate;
  coho_deflate compression; /* what it says */
  struct tls_server tls;
  struct ingress ingress;
  struct limits limits;
  uint64_t max_message;
  uint64_t threads;
  uint64_t verbose;
  struct accesslog_options access;
  struct admin_options admin;
  struct topics_options topics;
  uint64_t drain, drain_code;
  const char *config;
  bool check_config, print_config;
  bool demo;
};

extern const struct option serve_options[];
/* Sections of the file. */
extern const struct option serve_sections[];

/* All that is wrong with a struct serve_values: usage_error() collects it. 0 or EXIT_USAGE. */
int serve_options_check(const struct command *c, void *values);
void serve_options_free(struct serve_values *v);

#endif
