/*
 * hub none|shared [INTERVAL_MS]: topics as a program on the library has them, to measure. Below /t/:
 *
 *   live/#   conflate, at most every INTERVAL_MS (100)
 *   fill/#   keep as many messages as the default bytes allow, not only the default number
 *   others   default options
 *
 * /echo sends back, and GET /figures tells what the hub holds. Prints "listening URL".
 */
#include <coho/topics.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { INTERVAL_MS = 100, SUBSCRIPTIONS = 10000 };

static coho_hub *hub;

static void echo(coho_conn *c, coho_msg m) {
  if (coho_send(c, m) < 0) (void)coho_close(c, 1013, "");
}

static void figures(coho_request *r, void *user) {
  char text[256];
  coho_hub_stats s;
  (void)user;
  coho_hub_get_stats(hub, &s);
  int n = snprintf(text, sizeof text,
                   "{\"topics\":%" PRIu64 ",\"subscriptions\":%" PRIu64 ",\"messages\":%" PRIu64
                   ",\"bytes\":%" PRIu64 ",\"dropped\":%" PRIu64 ",\"gaps\":%" PRIu64 "}",
                   s.topics, s.subscriptions, s.messages, s.bytes, s.dropped, s.gaps);
  coho_reply(r, 200, "application/json", text, (size_t)n);
}

static int make_rules(uint32_t interval_ms) {
  coho_topic_options live = {.slow = COHO_SLOW_CONFLATE, .interval_ms = interval_ms};
  coho_topic_options fill = {.history_count = UINT32_MAX};
  int err = coho_hub_configure(hub, "live/#", &live);
  return err ? err : coho_hub_configure(hub, "fill/#", &fill);
}

/* The rates that a stranger is held to would be what is measured. */
static int add_routes(coho_server *s, const coho_options *conn) {
  coho_topics_options topics = {
      .conn = conn, .rate = {.per_second = UINT32_MAX}, .max_subscriptions = SUBSCRIPTIONS};
  int err = coho_route_topics(s, "/t/", hub, &topics);
  if (!err) err = coho_route_ws(s, "/echo", conn);
  return err ? err : coho_route_http(s, "GET", "/figures", figures, NULL);
}

static int serve(coho_server *s, const coho_options *conn) {
  int err = s && hub ? add_routes(s, conn) : COHO_ENOMEM;
  if (!err) err = coho_server_listen(s, "ws://127.0.0.1:0");
  if (err) return err;
  printf("listening %s\n", coho_server_url(s, 0));
  fflush(stdout);
  return coho_server_run(s);
}

int main(int argc, char **argv) {
  bool packs = argc > 1 && !strcmp(argv[1], "shared");
  unsigned long interval_ms = argc > 2 ? strtoul(argv[2], NULL, 10) : INTERVAL_MS;
  coho_options conn = {
      .on_message = echo,
      .deflate = {.mode = packs ? COHO_DEFLATE_SHARED : COHO_DEFLATE_OFF, .min_size = 1}};
  hub = coho_hub_new(NULL);
  coho_server *s = coho_server_new(NULL);
  int err = hub ? make_rules((uint32_t)interval_ms) : COHO_ENOMEM;
  if (!err) err = serve(s, &conn);
  if (err) fprintf(stderr, "hub: %s\n", coho_strerror(err));
  coho_server_free(s);
  coho_hub_free(hub);
  return err != 0;
}
