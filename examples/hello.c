/* Says hello to a server and prints its answer: ./hello ws://127.0.0.1:9001/ */
#include <coho/coho.h>
#include <stdio.h>

static void opened(coho_conn *c) { coho_send(c, coho_text("hello")); }

static void answered(coho_conn *c, coho_msg m) {
  printf("%.*s\n", (int)m.len, m.data);
  coho_close(c, 1000, NULL);
}

static void failed(const char *why) { fprintf(stderr, "hello: %s\n", why); }

static void ended(coho_conn *c, const coho_ending *how) {
  (void)c;
  if (how->err) failed(*how->detail ? how->detail : coho_strerror(how->err));
}

int main(int argc, char **argv) {
  coho_options opt = {.on_open = opened, .on_message = answered, .on_close = ended};
  int err = coho_dial(argc > 1 ? argv[1] : "ws://127.0.0.1:9001/", &opt);
  if (err == COHO_EURL) failed(coho_strerror(err)); /* nothing began, so nothing ended */
  return err != 0;
}
