/* What the generator is asked for; see the head of load.c. */
#ifndef BENCH_OPTIONS_H
#define BENCH_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

struct load_options {
  const char *mode, *path;
  int port, pid;
  size_t connections, size, depth, topics, messages, rate;
  size_t interval_ms; /* 0: everything arrives */
  double seconds, warmup;
  bool text, busy, tls, deflate;
};

#endif
