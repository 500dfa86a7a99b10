/* routes FOLDER: several routes on one port: an echo, a handler of HTTP, and the files of a folder. Ctrl-C
   and SIGTERM tell the clients (1001) before it ends. */
#include <coho/coho.h>
#include <signal.h>
#include <stdio.h>

static void echo(coho_conn *c, coho_msg m) { coho_send(c, m); }

static void answer(coho_request *r, void *user) {
  static const char text[] = "I am connected!\n";
  (void)user;
  coho_reply(r, 200, "text/plain; charset=utf-8", text, sizeof text - 1);
}

static void stop(void *server, int signo) {
  (void)signo;
  coho_server_stop((coho_server *)server);
}

int main(int argc, char **argv) {
  if (argc != 2) {
    fprintf(stderr, "usage: routes FOLDER\n");
    return 2;
  }
  coho_options opt = {.on_message = echo};
  coho_server *s = coho_server_new(NULL);
  int err = s ? coho_route_ws(s, "/echo", &opt) : COHO_ENOMEM;
  if (!err) err = coho_route_http(s, "GET", "/healthz", answer, NULL);
  if (!err) err = coho_route_static(s, "/", argv[1]);
  if (!err) err = coho_server_listen(s, "ws://127.0.0.1:9001");
  if (!err) err = coho_loop_signal(coho_server_loop(s, 0), SIGINT, stop, s);
  if (!err) err = coho_loop_signal(coho_server_loop(s, 0), SIGTERM, stop, s);
  if (!err) err = coho_server_run(s);
  if (err) fprintf(stderr, "routes: %s\n", coho_strerror(err));
  coho_server_free(s);
  return err != 0;
}
