/* Sends the time to all every second, and to each its own lines back. */
#include <coho/hub.h>
#include <stdio.h>
#include <time.h>

static coho_hub *hub;

static void joined(coho_conn *c) { coho_subscribe(hub, c, "time"); }

static void heard(coho_conn *c, coho_msg m) {
  printf("%.*s\n", (int)m.len, m.data);
  coho_send(c, m);
}

static void tick(void *arg) {
  char text[32];
  (void)arg;
  snprintf(text, sizeof text, "%lld", (long long)time(NULL));
  coho_publish(hub, "time", coho_text(text));
}

int main(void) {
  coho_options opt = {.on_open = joined, .on_message = heard};
  coho_server *s = coho_server_new(NULL);
  hub = coho_hub_new(NULL);
  int err = s && hub ? coho_route_ws(s, "/*", &opt) : COHO_ENOMEM;
  coho_timer *t = err ? NULL : coho_timer_new(coho_server_loop(s, 0), tick, NULL);
  if (t) coho_timer_start(t, 1000, 1000);
  if (!err) err = coho_server_listen(s, "ws://:9001");
  if (!err) err = coho_server_run(s);
  if (err) fprintf(stderr, "ticker: %s\n", coho_strerror(err));
  coho_timer_free(t);
  coho_server_free(s);
  coho_hub_free(hub);
  return err != 0;
}
