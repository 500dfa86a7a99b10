#include "io/tls_words.h"

#include "base/log.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { NAME_TEXT = 128, NAMES_TOLD = 3, ALERTS = SSL_AD_REASON_OFFSET };

/* ---- errors --------------------------------------------------------------------------------- */

/* Any record that does not begin like one: nearly always the first. */
#define NOT_TLS "what the peer sends is not TLS; a URL without TLS begins with ws://"

static const struct {
  int reason;
  const char *words;
} KNOWN[] = {
    {SSL_R_WRONG_VERSION_NUMBER, NOT_TLS},
    {SSL_R_HTTP_REQUEST, NOT_TLS},
    {SSL_R_HTTPS_PROXY_REQUEST, NOT_TLS},
    {SSL_R_UNKNOWN_PROTOCOL, NOT_TLS},
    {SSL_R_UNSUPPORTED_PROTOCOL, "the peer speaks no version of TLS from 1.2 on"},
    {SSL_R_TLSV1_ALERT_PROTOCOL_VERSION, "the peer refuses TLS from 1.2 on"},
    {SSL_R_NO_SHARED_CIPHER, "no cipher in common"},
    {SSL_R_NO_SUITABLE_KEY_SHARE, "no key exchange in common"},
    {SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM, "no signature algorithm in common"},
    {SSL_R_NO_APPLICATION_PROTOCOL, "no protocol in common (ALPN)"},
    {SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE, "the client showed no certificate"},
    {SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED, "the peer lets in nobody without a certificate"},
    {SSL_R_CERTIFICATE_VERIFY_FAILED, "the certificate is not trusted"},
};

static const char *known(int reason) {
  for (size_t i = 0; i < sizeof KNOWN / sizeof KNOWN[0]; i++)
    if (KNOWN[i].reason == reason) return KNOWN[i].words;
  return NULL;
}

/* Received alerts have the reasons from 1,000 on. */
static bool is_alert(int reason) { return reason > ALERTS && reason <= ALERTS + 255; }

void coho__tls_words_error(char dst[COHO_TLS_WORDS]) {
  unsigned long e = ERR_peek_error();
  int reason = ERR_GET_LIB(e) == ERR_LIB_SSL ? ERR_GET_REASON(e) : 0;
  const char *text = ERR_reason_error_string(e);
  if (known(reason))
    (void)snprintf(dst, COHO_TLS_WORDS, "%s", known(reason));
  else if (is_alert(reason))
    (void)snprintf(dst, COHO_TLS_WORDS, "the peer refused with the alert '%s'",
                   SSL_alert_desc_string_long(reason - ALERTS));
  else
    (void)snprintf(dst, COHO_TLS_WORDS, "%s", text ? text : "TLS failed");
  ERR_clear_error();
}

/* ---- certificates --------------------------------------------------------------------------- */

/* "CN=a,O=B" into dst, escaped. */
static const char *name_text(char dst[NAME_TEXT], const X509_NAME *name) {
  char *data = NULL;
  BIO *bio = BIO_new(BIO_s_mem());
  long len = 0;
  if (bio && X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253) >= 0)
    len = BIO_get_mem_data(bio, &data);
  coho__escape(dst, NAME_TEXT, len > 0 ? data : "", len > 0 ? (size_t)len : 0);
  BIO_free(bio);
  return dst;
}

/* "2027-01-31" */
static const char *date_text(char dst[NAME_TEXT], const ASN1_TIME *time) {
  struct tm tm;
  if (ASN1_TIME_to_tm(time, &tm) != 1)
    (void)snprintf(dst, NAME_TEXT, "an unreadable date");
  else
    (void)snprintf(dst, NAME_TEXT, "%d-%02d-%02d", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday);
  return dst;
}

static const char *address_text(char dst[NAME_TEXT], const ASN1_OCTET_STRING *ip) {
  const unsigned char *b = ASN1_STRING_get0_data(ip);
  int len = ASN1_STRING_length(ip);
  if (len == 4) {
    (void)snprintf(dst, NAME_TEXT, "%d.%d.%d.%d", b[0], b[1], b[2], b[3]);
    return dst;
  }
  size_t at = 0;
  dst[0] = '\0';
  for (int i = 0; len == 16 && i < len; i += 2)
    at += (size_t)snprintf(dst + at, NAME_TEXT - at, "%s%x", i ? ":" : "", b[i] << 8 | b[i + 1]);
  return dst;
}

/* A name that the certificate is for, escaped; NULL: of a kind nobody asks for. */
static const char *alternative(char dst[NAME_TEXT], const GENERAL_NAME *g) {
  if (g->type == GEN_IPADD) return address_text(dst, g->d.iPAddress);
  if (g->type != GEN_DNS) return NULL;
  return coho__escape(dst, NAME_TEXT, (const char *)ASN1_STRING_get0_data(g->d.dNSName),
                      (size_t)ASN1_STRING_length(g->d.dNSName));
}

/* "a, b and others" */
static void names_text(char *dst, size_t cap, const X509 *x) {
  size_t len = 0;
  int told = 0;
  char name[NAME_TEXT];
  GENERAL_NAMES *list = (GENERAL_NAMES *)X509_get_ext_d2i(x, NID_subject_alt_name, NULL, NULL);
  (void)snprintf(dst, cap, "no host");
  for (int i = 0; i < sk_GENERAL_NAME_num(list) && len < cap; i++) {
    if (!alternative(name, sk_GENERAL_NAME_value(list, i))) continue;
    bool more = told++ >= NAMES_TOLD;
    int n = snprintf(dst + len, cap - len, "%s%s", told > 1 && !more ? ", " : "",
                     more ? " and others" : name);
    len += n > 0 ? (size_t)n : 0;
    if (more) break;
  }
  GENERAL_NAMES_free(list);
}

/* Whether an address is among the names of hosts, where nobody looks for it (RFC 6125 6.2.1). */
static bool named_as_host(const X509 *x, const char *address) {
  bool found = false;
  GENERAL_NAMES *list = (GENERAL_NAMES *)X509_get_ext_d2i(x, NID_subject_alt_name, NULL, NULL);
  for (int i = 0; i < sk_GENERAL_NAME_num(list) && !found; i++) {
    const GENERAL_NAME *g = sk_GENERAL_NAME_value(list, i);
    if (g->type != GEN_DNS) continue;
    size_t len = (size_t)ASN1_STRING_length(g->d.dNSName);
    found = len == strlen(address) && !memcmp(ASN1_STRING_get0_data(g->d.dNSName), address, len);
  }
  GENERAL_NAMES_free(list);
  return found;
}

static void wrong_name(char dst[COHO_TLS_WORDS], const X509 *x, const char *host) {
  char names[COHO_TLS_WORDS / 2];
  if (host && named_as_host(x, host)) {
    (void)snprintf(dst, COHO_TLS_WORDS,
                   "the certificate names %s as a host name, not as an address", host);
    return;
  }
  names_text(names, sizeof names, x);
  (void)snprintf(dst, COHO_TLS_WORDS, "the certificate is not for %s, but for %s",
                 host ? host : "this host", names);
}

void coho__tls_words_verify(char dst[COHO_TLS_WORDS], X509_STORE_CTX *found, const char *host) {
  char text[NAME_TEXT];
  const X509 *x = X509_STORE_CTX_get_current_cert(found);
  const X509 *leaf = X509_STORE_CTX_get0_cert(found);
  int e = X509_STORE_CTX_get_error(found);
  const char *whose = X509_STORE_CTX_get_error_depth(found) > 0 ? "its authority's" : "the";
  if (!x) x = leaf;
  switch (e) {
  case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    (void)snprintf(dst, COHO_TLS_WORDS, "the certificate is self-signed");
    break;
  case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    (void)snprintf(dst, COHO_TLS_WORDS,
                   "the certificate is of an authority that is not trusted: %s",
                   name_text(text, X509_get_subject_name(x)));
    break;
  case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
  case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
  case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    (void)snprintf(dst, COHO_TLS_WORDS, "the certificate is of an unknown authority: %s",
                   name_text(text, X509_get_issuer_name(x)));
    break;
  case X509_V_ERR_CERT_HAS_EXPIRED:
    (void)snprintf(dst, COHO_TLS_WORDS, "%s certificate expired on %s", whose,
                   date_text(text, X509_get0_notAfter(x)));
    break;
  case X509_V_ERR_CERT_NOT_YET_VALID:
    (void)snprintf(dst, COHO_TLS_WORDS, "%s certificate is not valid before %s", whose,
                   date_text(text, X509_get0_notBefore(x)));
    break;
  case X509_V_ERR_HOSTNAME_MISMATCH:
  case X509_V_ERR_IP_ADDRESS_MISMATCH: wrong_name(dst, leaf, host); break;
  default:
    (void)snprintf(dst, COHO_TLS_WORDS, "the certificate is not trusted: %s",
                   X509_verify_cert_error_string(e));
  }
}
