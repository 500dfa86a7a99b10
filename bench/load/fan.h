/*
 * Fan-out: one connection publishes at a steady rate, whatever comes back (open loop); all get it, that
 * one too. Every message is checked, and how old it is when it arrives is counted.
 */
#ifndef BENCH_FAN_H
#define BENCH_FAN_H

#include "load/options.h"

void fan_run(const struct load_options *options);

#endif
