/* What is measured: round trips, and the server's process. */
#ifndef BENCH_FIGURES_H
#define BENCH_FIGURES_H

#include <stdint.h>

uint64_t figures_now_ns(void); /* monotonic */
void figures_round_trip(uint64_t ns);
double figures_percentile_us(double q); /* of the round trips, 0 to 1 */
/* CPU time of all threads of a process, ns, by the scheduler's own books; 0 for pid 0. */
double figures_cpu_ns(int pid);
double figures_rss_bytes(int pid);

#endif
