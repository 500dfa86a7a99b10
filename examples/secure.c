/* secure [CERT KEY]: an echo server on wss://localhost:9443. Without files it makes a certificate for
   itself, which `coho connect --insecure` takes. */
#include <coho/tls.h>
#include <stdio.h>

static void echo(coho_conn *c, coho_msg m) { coho_send(c, m); }

int main(int argc, char **argv) {
  coho_tls_options files = {.flags = COHO_TLS_SELF_SIGNED};
  if (argc == 3) files = (coho_tls_options){.cert = argv[1], .key = argv[2]};
  coho_tls *tls;
  char why[256];
  if (coho_tls_new(&files, &tls, why, sizeof why)) {
    fprintf(stderr, "secure: %s\n", why);
    return 1;
  }
  int err = coho_serve("wss://localhost:9443", &(coho_options){.on_message = echo, .tls = tls});
  if (err) fprintf(stderr, "secure: %s\n", coho_strerror(err));
  coho_tls_free(tls);
  return err != 0;
}
