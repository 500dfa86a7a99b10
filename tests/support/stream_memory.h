/* Streams without network, for tests. */
#ifndef COHO_TESTS_SUPPORT_STREAM_MEMORY_H
#define COHO_TESTS_SUPPORT_STREAM_MEMORY_H

#include "io/stream.h"

/* Two ends of a stream in memory on one loop, each with a buffer of cap bytes: what one writes the
   other reads, in pieces of at most `piece` bytes (0: any), each announced by an event. Does not
   keep coho_loop_run() running. Closing with bytes unread resets, as TCP does. 0 or COHO_ENOMEM. */
int stream_memory(coho_loop *loop, size_t cap, size_t piece, struct coho__stream *ends[2]);

#endif
