#include "topics/jws.h"

#include "topics/base64url.h"

#include <coho/error.h>
#include <string.h>

/* NULL: it is none. */
static json_t *read_part(struct coho__view part) {
  char text[COHO_BASE64URL_BYTES(COHO_TOKEN_MOST)];
  ptrdiff_t len = coho__base64url_decode(text, part);
  return len > 0 ? coho__json_object((struct coho__view){text, (size_t)len}) : NULL;
}

/* ---- header --------------------------------------------------------------------------------- */

/* RFC 7519 5.1, RFC 9068 2.1; "application/" may be left out (RFC 7515 4.1.9). */
static bool is_token_type(struct coho__view typ) {
  (void)coho__view_take_nocase(&typ, VIEW("application/"));
  return coho__view_eq_nocase(typ, VIEW("JWT")) || coho__view_eq_nocase(typ, VIEW("at+jwt"));
}

/* Whether there is anything that has to be understood and is not: extensions (RFC 7515 4.1.11), an
   unencoded payload (RFC 7797), a token in the token (RFC 7519 5.2), encryption. */
static bool is_special(const json_t *header) {
  static const char *const names[] = {"crit", "b64", "cty", "enc", "zip"};
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
    if (json_object_get(header, names[i])) return true;
  return false;
}

static int read_header(const json_t *header, struct coho__jws *out) {
  struct coho__view alg, typ, kid;
  if (!header || is_special(header)) return COHO_ETOKEN;
  if (!coho__json_string(header, "alg", &alg) || !alg.data) return COHO_ETOKEN;
  if (!coho__json_string(header, "typ", &typ) || (typ.data && !is_token_type(typ)))
    return COHO_ETOKEN;
  if (!coho__json_string(header, "kid", &kid) || kid.len > sizeof out->kid) return COHO_ETOKEN;
  out->alg = coho__alg_of(alg);
  out->has_kid = kid.data != NULL;
  out->kid_len = kid.len;
  if (kid.data) memcpy(out->kid, kid.data, kid.len);
  return out->alg == COHO_ALG_NONE ? COHO_ETOKENALG : 0;
}

/* ---- token ---------------------------------------------------------------------------------- */

static int read_signature(struct coho__view part, struct coho__jws *out) {
  if (COHO_BASE64URL_BYTES(part.len) > sizeof out->signature) return COHO_ETOKEN;
  ptrdiff_t len = coho__base64url_decode(out->signature, part);
  if (len < 0) return COHO_ETOKEN;
  out->signature_len = (size_t)len;
  return 0;
}

int coho__jws_read(struct coho__view token, struct coho__jws *out) {
  struct coho__view rest = token;
  out->payload = NULL;
  if (token.len == 0 || token.len > COHO_TOKEN_MOST) return COHO_ETOKEN;
  struct coho__view first = coho__view_split(&rest, '.');
  struct coho__view second = coho__view_split(&rest, '.');
  if (!rest.data || memchr(rest.data, '.', rest.len)) return COHO_ETOKEN; /* three parts */
  out->text = (struct coho__view){token.data, first.len + 1 + second.len};
  json_t *header = read_part(first);
  int err = read_header(header, out);
  json_decref(header);
  if (!err) err = read_signature(rest, out);
  if (err) return err;
  out->payload = read_part(second);
  return out->payload ? 0 : COHO_ETOKEN;
}

void coho__jws_free(struct coho__jws *j) {
  json_decref(j->payload);
  j->payload = NULL;
}
