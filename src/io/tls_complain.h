/* What the log is told about handshakes and records that fail: for each loop one line of a kind in a
   second, and 16 at first, whatever comes. */
#ifndef COHO_IO_TLS_COMPLAIN_H
#define COHO_IO_TLS_COMPLAIN_H

#include "io/tls_wire.h"

void coho__tls_complain_init(struct coho__wire_buffers *b, uint64_t now_ms);
/* knock: no byte came, so nobody did anything wrong. trouble: more to say than err does, or NULL. */
void coho__tls_complain(const struct coho__wire *w, bool knock, int err, const char *trouble);

#endif
