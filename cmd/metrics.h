/*
 * What a server does, as Prometheus reads it (text format 0.0.4), and as the admin page shows it.
 * Once a second each loop of the server is asked to answer; how long that takes is its lag.
 */
#ifndef COHO_CMD_METRICS_H
#define COHO_CMD_METRICS_H

#include "base/buf.h"

#include <coho/hub.h>

enum metrics_state { METRICS_STARTING, METRICS_READY, METRICS_DRAINING };

struct metrics {
  coho_server *server;
  coho_hub *hub; /* NULL: none */
};

struct metrics_process {
  uint64_t rss_bytes, open_fds, max_fds, cpu_ns, uptime_s;
};

/* The timer runs on `loop`. 0 or COHO_ENOMEM. */
int metrics_start(const struct metrics *m, coho_loop *loop);
void metrics_stop(void);                          /* after `loop` has stopped, before it is freed */
void metrics_set_state(enum metrics_state state); /* any thread */
enum metrics_state metrics_get_state(void);
void metrics_process(struct metrics_process *out);
uint64_t metrics_lag_us(void); /* the longest of the last round */

/* 0, COHO_ENOMEM, COHO_EFULL. */
int metrics_write(struct coho__buf *out);

#endif
