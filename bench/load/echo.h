/* Round trips, and the memory of connections that do nothing. */
#ifndef BENCH_ECHO_H
#define BENCH_ECHO_H

#include "load/options.h"

void echo_run(const struct load_options *options);
void echo_run_idle(const struct load_options *options);

#endif
