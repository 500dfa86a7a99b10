/* Host and port; addresses against those that the C library reads. */
#include "proto/host.h"

#include "proto/chars.h"
#include "support/claim.h"
#include "support/input.h"

#include <arpa/inet.h>
#include <string.h>

static bool library_reads(int family, const char *text) {
  unsigned char address[16];
  return inet_pton(family, text, address) == 1;
}

static void claim_host(struct coho__view text, const struct coho__host *host) {
  const char *end = text.data + text.len;
  CLAIM(host->name.len > 0);
  CLAIM(host->name.data == text.data + (host->ipv6 ? 1 : 0));
  const char *rest = host->name.data + host->name.len + (host->ipv6 ? 1 : 0);
  CLAIM(rest <= end);
  if (host->ipv6)
    CLAIM(text.data[0] == '[' && rest[-1] == ']' && coho__host_is_ipv6(host->name));
  else
    CLAIM(!memchr(host->name.data, ':', host->name.len));
  uint64_t port = 0;
  size_t left = (size_t)(end - rest);
  if (left > 0) CLAIM(*rest == ':');
  CLAIM(host->has_port == (left > 1));
  if (left > 1) CLAIM(coho__view_number((struct coho__view){rest + 1, left - 1}, 65535, &port));
  CLAIM(host->port == port);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct input in = {data, size};
  uint8_t *block = input_copy(in);
  struct coho__view text = {(const char *)block, size};
  struct coho__host host;
  if (coho__host_parse(text, &host)) claim_host(text, &host);
  char *terminated = input_text(in);
  if (strlen(terminated) == size) {
    CLAIM(coho__host_is_ipv4(text) == library_reads(AF_INET, terminated));
    CLAIM(coho__host_is_ipv6(text) == library_reads(AF_INET6, terminated));
  }
  free(terminated);
  free(block);
  return 0;
}
