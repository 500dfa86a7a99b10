/* A server for clients of other people: echoes, and does what the text asks for: "fragments", "ping",
   "close". Speaks superchat and chat, and nothing else when a client offers subprotocols. Tells on
   standard output how connections closed. */
#include <coho/coho.h>
#include <signal.h>
#include <stdio.h>

static const char *const protocols[] = {"superchat", "chat", NULL};

static void upgrade(coho_request *r) {
  static const char text[] = "superchat or chat\n";
  if (coho_request_offer(r, 0) && !*coho_request_protocol(r))
    coho_reply(r, 400, "text/plain; charset=utf-8", text, sizeof text - 1);
}

static void send_part(coho_conn *c, const char *text, uint32_t flags) {
  coho_msg m = coho_text(text);
  m.flags = flags;
  coho_send(c, m);
}

static int is(coho_msg m, const char *word) {
  return m.len == strlen(word) && !memcmp(m.data, word, m.len);
}

static void message(coho_conn *c, coho_msg m) {
  if (is(m, "fragments")) {
    send_part(c, "one message", COHO_MORE);
    send_part(c, " in ", COHO_MORE);
    send_part(c, "parts", 0);
  } else if (is(m, "ping")) {
    coho_ping(c, "are you there", 13);
  } else if (is(m, "close")) {
    coho_close(c, 4001, "bye \xe2\x98\x83");
  } else {
    coho_send(c, m);
  }
}

static void pong(coho_conn *c, coho_msg m) {
  char text[160];
  snprintf(text, sizeof text, "pong %.*s", (int)m.len, m.data);
  if (m.len) coho_send(c, coho_text(text));
}

static void closed(coho_conn *c, const coho_ending *how) {
  (void)c;
  printf("closed %u %s\n", how->code, how->reason);
  fflush(stdout);
}

static void stop(void *arg, int signo) {
  (void)signo;
  coho_server_stop((coho_server *)arg);
}

static int prepare(coho_server *s) {
  coho_options opt = {.on_upgrade = upgrade,
                      .on_message = message,
                      .on_pong = pong,
                      .on_close = closed,
                      .protocols = protocols};
  int err = coho_route_ws(s, "/", &opt);
  if (!err) err = coho_server_listen(s, "ws://127.0.0.1:0");
  return err ? err : coho_loop_signal(coho_server_loop(s, 0), SIGTERM, stop, s);
}

int main(void) {
  coho_server *s = coho_server_new(NULL);
  int err = s ? prepare(s) : COHO_ENOMEM;
  if (!err) {
    printf("listening %s\n", coho_server_url(s, 0));
    fflush(stdout);
    err = coho_server_run(s);
  }
  if (err) fprintf(stderr, "server: %s\n", coho_strerror(err));
  coho_server_free(s);
  return err != 0;
}
