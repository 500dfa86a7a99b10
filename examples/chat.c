#define _POSIX_C_SOURCE 200809L /* strdup */
/* A chat: ws://127.0.0.1:9001/?room=tea is in the room "tea" and hears what is said there. */
#include <coho/hub.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static coho_hub *hub;

static void joined(coho_conn *c) {
  const char *name = coho_request_query(coho_conn_request(c), "room");
  char *room = strdup(name && *name ? name : "hall");
  coho_conn_set_user(c, room);
  if (room && coho_subscribe(hub, c, room) == 0) {
    coho_publish(hub, room, coho_text("someone joined"));
  }
}

static void said(coho_conn *c, coho_msg m) { coho_publish(hub, (char *)coho_conn_user(c), m); }

static void left(coho_conn *c, const coho_ending *how) {
  (void)how;
  free(coho_conn_user(c));
}

int main(void) {
  coho_options opt = {.on_open = joined, .on_message = said, .on_close = left};
  hub = coho_hub_new(NULL);
  int err = hub ? coho_serve("ws://:9001", &opt) : COHO_ENOMEM;
  if (err) fprintf(stderr, "chat: %s\n", coho_strerror(err));
  coho_hub_free(hub);
  return err != 0;
}
