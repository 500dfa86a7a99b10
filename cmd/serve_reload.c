#include "serve_reload.h"

#include "logger.h"
#include "serve_parts.h"

#include <coho/coho.h>
#include <stdlib.h>
#include <string.h>

/* Texts live as long as the file that they were read from. */
struct serve_kept {
  struct serve_values v;
  struct settled s;
};

static void free_kept(struct serve_kept *k) {
  if (!k) return;
  serve_options_free(&k->v);
  settle_free(&k->s);
  free(k);
}

static void apply_access(const struct serve_running *g, const struct accesslog_options *o) {
  char line[512];
  int failed = accesslog_set(o);
  if (!failed) {
    coho_server_log_access(g->server, o->on);
    return;
  }
  (void)snprintf(line, sizeof line, "coho: the access log stays as it was: %.300s: %s", o->file,
                 strerror(failed));
  logger_line(line);
}

/* ---- what changes --------------------------------------------------------------------------- */

static int apply_served(const struct serve_running *g, const struct serve_values *fresh) {
  struct serve_parts p;
  serve_parts_set(&p, fresh);
  p.demo.server = g->server;
  int err = coho_server_update(g->server, &p.server);
  if (!err) err = g->v->demo ? demo_update(&p.demo) : demo_echo_update(&p.demo);
  if (!err && g->v->topics.on && fresh->topics.on)
    err = topics_update(&fresh->topics, g->server, &p.topics);
  else
    topics_settle(); /* the last configuration goes */
  return err;
}

static void name_restart(const char *name) {
  char line[160];
  (void)snprintf(line, sizeof line, "coho: %s has changed, which needs a restart", name);
  logger_line(line);
}

/* Whether there are topics is what a section says by being there. */
static void name_topics(const struct serve_values *old, const struct serve_values *fresh) {
  if (old->topics.on != fresh->topics.on && old->topics.rules.count == fresh->topics.rules.count)
    name_restart("topics");
}

static void apply(const struct serve_running *g, const struct serve_values *fresh) {
  char line[160];
  logger_start(serve_log_level(fresh));
  apply_access(g, &fresh->access);
  limit_set_process(&fresh->limits);
  int err = apply_served(g, fresh);
  if (err) {
    (void)snprintf(line, sizeof line, "coho: not all of the configuration was taken over: %s",
                   coho_strerror(err));
    logger_line(line);
  } else {
    logger_line("coho: configuration read again");
  }
  settle_restart(g->from->command, g->v, fresh, name_restart);
  name_topics(g->v, fresh);
}

/* ---- reading -------------------------------------------------------------------------------- */

/* NULL: it is wrong, which has been told. */
static struct serve_kept *read_file(const struct serve_running *g) {
  struct serve_kept *k = (struct serve_kept *)calloc(1, sizeof *k);
  if (!k) {
    logger_line("coho: out of memory; the configuration stays as it was");
    return NULL;
  }
  int status = settle(g->from, &k->v, &k->s);
  faults_tell(&k->s.faults, "coho", logger_line);
  if (!status) return k;
  logger_line("coho: the configuration stays as it was");
  free_kept(k);
  return NULL;
}

static void reload_file(struct serve_running *g) {
  struct serve_kept *k = read_file(g);
  if (!k) return;
  apply(g, &k->v);
  free_kept(g->kept);
  g->kept = k;
  if (g->tls) tls_reload(g->tls);
}

void serve_reload(struct serve_running *g) {
  if (g->from->file) {
    reload_file(g);
    return;
  }
  if (g->v->access.file) apply_access(g, &g->v->access);
  if (g->tls)
    tls_reload(g->tls);
  else if (!g->v->access.file)
    logger_line("coho: without wss:// there are no certificates to read");
}

void serve_reload_free(struct serve_running *g) {
  free_kept(g->kept);
  g->kept = NULL;
}
