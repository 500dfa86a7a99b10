/* What the machine has that budgets depend on. */
#ifndef COHO_IO_MACHINE_H
#define COHO_IO_MACHINE_H

#include <stdint.h>

/* Bytes of memory that this process may use: what the machine has, or less by the limits of its
   control group and of those above it (cgroup v2, else v1), as mounted below /sys/fs/cgroup. 0: not
   known. root stands in front of all paths: "", or a folder of a test. */
uint64_t coho__machine_memory(const char *root);
/* Half of that becomes the default of coho_set_memory_limit(), once in a process. Any thread. */
void coho__machine_budget(void);

#endif
