/*
 * permessage-deflate of a peer that is not coho: zlib and nothing else (RFC 7692 7.2). Windows are
 * exact: what refers further back than was agreed on is found out.
 */
#ifndef TESTS_SUPPORT_ZIP_H
#define TESTS_SUPPORT_ZIP_H

#include <stddef.h>

struct zip;

/* The windows in bits: of what it packs, 9 to 15, and of what it unpacks, 8 to 15. memory is zlib's,
   1 to 9: with little of it, what does not shrink grows more. Never fails. */
struct zip *zip_new(unsigned window, unsigned memory, unsigned peer_window);
void zip_free(struct zip *z);
/* A message as it goes on the wire, valid until the next; it may refer to those before it. */
const char *zip_pack(struct zip *z, const void *data, size_t len, size_t *packed_len);
/* The message that these bytes mean, valid until the next; it may refer to those before it. NULL:
   they are not a whole one. */
const char *zip_unpack(struct zip *z, const void *packed, size_t packed_len, size_t *len);
/* The next message refers to nothing before it. */
void zip_pack_anew(struct zip *z);
void zip_unpack_anew(struct zip *z);

#endif
