#include <coho/coho.h>
#include <stdio.h>

static void echo(coho_conn *c, coho_msg m) { coho_send(c, m); }

int main(void) {
  int err = coho_serve("ws://:9001", &(coho_options){.on_message = echo});
  if (err) fprintf(stderr, "echo: %s\n", coho_strerror(err));
  return err != 0;
}
