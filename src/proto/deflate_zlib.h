/* What zlib needs of coho: memory that is counted, for the memory sanitizer, which does not see
   into zlib, the word that bytes were written. */
#ifndef COHO_PROTO_DEFLATE_ZLIB_H
#define COHO_PROTO_DEFLATE_ZLIB_H

#include <stddef.h>
#define ZLIB_CONST
#include <zlib.h>

/* zlib does not say how much it gives back, so each of its blocks has a head that knows. */
enum { COHO_ZLIB_HEAD = _Alignof(max_align_t) };

/* zlib counts in 32 bits, so data goes through it in steps of at most so many bytes. With fewer than
   6 bytes of room a flush would not end. */
#ifdef COHO_HARD
enum { COHO_ZLIB_IN = 3, COHO_ZLIB_OUT = 16 };
#else
enum { COHO_ZLIB_IN = 1 << 30, COHO_ZLIB_OUT = 1 << 30 };
#endif

enum { COHO_DEFLATE_TAIL = 4 }; /* 00 00 ff ff, the end of every message, which is not sent */

/* A stream whose memory is coho's, ready for an init. */
z_stream coho__zlib_stream(void);
/* Lends the stream what comes next, a step at most. */
void coho__zlib_lend(z_stream *z, const void *in, size_t in_len, void *out, size_t room);
/* A library that the sanitizer does not know has written these bytes. */
void coho__zlib_wrote(const void *data, size_t len);

#endif
