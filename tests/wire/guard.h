/* Memory that ends at a page nobody may touch, and an allocator that counts. */
#ifndef WIRE_GUARD_H
#define WIRE_GUARD_H

#include <stddef.h>
#include <stdint.h>

/* Copies data so that its last byte stands right before a forbidden page. Valid until the next call
   with the same place. */
enum guard_place { GUARD_INPUT, GUARD_CALL, GUARD_PLACES };
uint8_t *guard_copy(enum guard_place place, const void *data, size_t n);
/* Overwrites what the last copy left there: who still reads it shows. */
void guard_spoil(enum guard_place place);
void guard_free(void);

/* What coho owns, in bytes; installed as its allocator. */
struct tally {
  size_t now, peak;
};
void *tally_alloc(void *ctx, void *ptr, size_t old_size, size_t new_size);

#endif
