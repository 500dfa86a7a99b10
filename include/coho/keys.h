/*
 * coho: the keys that JSON Web Tokens are verified with, and which tokens are let in (RFC 7515, 7517,
 * 7518, 7519).
 *
 *   coho_keys *keys;
 *   char why[256];
 *   coho_keys_new(&(coho_keys_options){.audiences = (const char *const[]){"chat", NULL}}, &keys);
 *   coho_keys_add(keys, &(coho_key_source){.kind = COHO_KEY_JWKS, .file = "keys.json",
 *                                          .issuer = "https://id.example"}, why, sizeof why);
 *
 * Algorithms are HS256, RS256 and ES256. A key has one of them, by its kind, so that a public key is
 * never taken for a secret. Keys belong to an issuer or to none: a token with "iss" is verified with
 * the keys of that issuer only, one without with those of none. Where no issuer is named at all,
 * "iss" is not looked at. "kid" chooses among them; keys without one are tried as well.
 *
 * A token says in "sub" who it is for, and in "coho" which topics may be subscribed and published, as
 * names or patterns:
 *
 *   {"sub": "ann", "exp": 1767225600, "coho": {"sub": ["room/+", "news/#"], "pub": ["room/+"]}}
 *
 * What a coho_keys holds is replaced while in use: who verifies a token goes on with the keys that it
 * began with. Functions are for any thread.
 */
#ifndef COHO_KEYS_H
#define COHO_KEYS_H

#include <coho/error.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct coho_keys coho_keys;

enum coho_keys_flag {
  /* Tokens without "exp" are let in, for ever. */
  COHO_KEYS_NO_EXPIRY = 1
};

/* Zero is the default of every field. Copied. Set fields by name: the structure grows. */
typedef struct coho_keys_options {
  /* "aud" must have one of these; ended by NULL; NULL: it is not looked at. */
  const char *const *audiences;
  uint64_t leeway_ms; /* that clocks may differ; 30,000; COHO_KEYS_EXACT: 0; at most an hour */
  uint64_t flags;     /* enum coho_keys_flag */
} coho_keys_options;

#define COHO_KEYS_EXACT UINT64_MAX

COHO_API int coho_keys_new_sized(const coho_keys_options *opt, size_t size, coho_keys **out);
/* Without any keys yet. 0, COHO_EOPTION, COHO_ENOMEM: then *out is NULL. One reference. */
static inline int coho_keys_new(const coho_keys_options *opt, coho_keys **out) {
  return coho_keys_new_sized(opt, sizeof *opt, out);
}
/* Freed when servers that use it are gone, too. NULL is fine. */
COHO_API void coho_keys_free(coho_keys *k);

enum coho_key_kind {
  COHO_KEY_NONE,   /* no key, but the issuer is known: its keys come later */
  COHO_KEY_SECRET, /* HS256: 32 to 4,096 bytes; of a file without the line end at its end */
  COHO_KEY_PEM,    /* RS256 or ES256: a public key of RSA, 2,048 bits and up, or P-256 */
  COHO_KEY_JWKS    /* JSON Web Key Set; keys that are for other uses or algorithms, or unfit, are
                      left out, each with a line in the log */
};

enum coho_key_flag {
  /* Others can read the JWKS too: secrets in it are left out. */
  COHO_KEY_PUBLIC = 1
};

/* Where keys come from: a file, which coho_keys_reload() reads again, or bytes. Copied. */
typedef struct coho_key_source {
  const char *issuer; /* NULL: none */
  const char *kid;    /* of a secret or PEM; NULL: none */
  const char *file;   /* NULL: data */
  const void *data;
  size_t len;
  uint64_t kind;  /* enum coho_key_kind */
  uint64_t flags; /* enum coho_key_flag */
} coho_key_source;

COHO_API int coho_keys_add_sized(coho_keys *k, const coho_key_source *source, size_t size,
                                 char *why, size_t cap);
/*
 * Adds keys to those of the issuer. 0; COHO_EKEYS, COHO_ENOENT, COHO_EACCES, COHO_EOPTION, COHO_EFULL
 * (64 sources, 64 keys in a JWKS, 256 KiB), COHO_ENOMEM: then nothing changes and why, unless NULL, is
 * a sentence that names the file.
 */
static inline int coho_keys_add(coho_keys *k, const coho_key_source *source, char *why,
                                size_t cap) {
  return coho_keys_add_sized(k, source, sizeof *source, why, cap);
}

COHO_API int coho_keys_replace_sized(coho_keys *k, const coho_key_source *source, size_t size,
                                     char *why, size_t cap);
/* The same, instead of all keys that the issuer had. */
static inline int coho_keys_replace(coho_keys *k, const coho_key_source *source, char *why,
                                    size_t cap) {
  return coho_keys_replace_sized(k, source, sizeof *source, why, cap);
}

/* Reads all files again. On an error, as above, nothing changes. */
COHO_API int coho_keys_reload(coho_keys *k, char *why, size_t cap);

/* fn is called when a token of an issuer fits no key, so that the keys may be fetched again; issuer is
   valid during the call, "" for none. fn runs on any thread, must not wait, and calls no function of
   k. It does not run any more when another, or NULL, took its place. */
COHO_API void coho_keys_on_unknown(coho_keys *k, void (*fn)(void *ctx, const char *issuer),
                                   void *ctx);

#ifdef __cplusplus
}
#endif

#endif
