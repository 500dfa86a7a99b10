/* The sums of coho_server_stats(), and how connections ended. */
#ifndef COHO_WS_STATS_H
#define COHO_WS_STATS_H

#include "http/counters.h"

#include <coho/coho.h>

/* Adds what one loop counted. Any thread. */
void coho__stats_add(coho_stats *sum, struct coho__counters *n);

/* A WebSocket connection ended. On the loop's thread. */
void coho__stats_ended(struct coho__counters *n, int err, uint32_t code);

#endif
