/* The keys out of one source of keys.h, for one issuer. Does not change; shared by reference. */
#ifndef COHO_TOPICS_KEYSET_H
#define COHO_TOPICS_KEYSET_H

#include "io/tls_why.h"
#include "topics/key.h"

#include <coho/keys.h>
#include <stdatomic.h>

enum {
  COHO_KEYS_MOST = 64,         /* in a JWKS */
  COHO_KEYS_FILE = 256 * 1024, /* bytes of a source */
  COHO_KEYS_ISSUER = 2048      /* bytes of an issuer's name */
};

struct coho__keyset {
  _Atomic uint32_t refs;
  uint32_t count;
  struct coho__key *keys;
  char *issuer; /* NULL: none */
  char *file;   /* NULL: the keys came as bytes */
  char *kid;    /* of the source, to read it again */
  uint64_t kind, flags;
};

/* With a reference. Errors as those of coho_keys_add(). */
int coho__keyset_read(const coho_key_source *from, struct coho__keyset **out,
                      const struct coho__why *why);
/* The same from the same file; without one s itself. */
int coho__keyset_reread(struct coho__keyset *s, struct coho__keyset **out,
                        const struct coho__why *why);
struct coho__keyset *coho__keyset_ref(struct coho__keyset *s); /* any thread */
void coho__keyset_unref(struct coho__keyset *s);               /* any thread; NULL is fine */

#endif
