/* Memory of subscriptions and of histories, by coho.json.v1. */
#ifndef BENCH_TOPICS_H
#define BENCH_TOPICS_H

#include "load/options.h"

/* `depth` subscriptions of each connection, to topics that all share: one of each in turn. */
void topics_run_subs(const struct load_options *options);
/* `messages` of `size` bytes to each of `topics`. */
void topics_run_fill(const struct load_options *options);

#endif
