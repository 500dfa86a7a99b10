/* How many connections a server takes, over all its loops. */
#ifndef COHO_HTTP_ADMISSION_H
#define COHO_HTTP_ADMISSION_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct coho__admission {
  _Atomic uint32_t now;
  uint32_t max;
};

/* max 0: as many as the process may have descriptors, less a reserve. */
void coho__admission_init(struct coho__admission *a, uint32_t max);
bool coho__admission_enter(struct coho__admission *a); /* false: full. Any thread. */
void coho__admission_leave(struct coho__admission *a); /* Any thread. */

#endif
