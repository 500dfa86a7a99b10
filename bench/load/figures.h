/* What is measured besides the wire: the clock, and the server's process. */
#ifndef BENCH_FIGURES_H
#define BENCH_FIGURES_H

#include <stdint.h>

uint64_t figures_now_ns(void); /* monotonic */
/* CPU time of all threads of a process, ns, by the scheduler's own books; 0 for pid 0. */
double figures_cpu_ns(int pid);

/* Memory of a process, bytes; 0 for pid 0. */
struct figures_memory {
  double rss, peak; /* VmRSS, and the most it was so far */
  double pss;       /* shared pages only by its part of them; 0 unless asked for: it costs more */
};
struct figures_memory figures_memory(int pid, int with_pss);

#endif
