/* Payloads. */
#ifndef BENCH_SAMPLE_H
#define BENCH_SAMPLE_H

#include <stddef.h>

enum { SAMPLES = 64 }; /* messages that take turns, so that no compressor learns one by heart */

void sample_plain(char *dst, size_t len);
/* Like what a page is told about prices: names that come again, numbers that do not. Each call
   another one. */
void sample_json(char *dst, size_t len);

#endif
