/* Topics on the web: follow with curl -N, publish with curl -d, or any WebSocket client, at
   http://127.0.0.1:9001/t/room/tea. */
#include <coho/topics.h>
#include <stdio.h>

int main(void) {
  coho_hub *hub = coho_hub_new(NULL);
  coho_server *server = coho_server_new(NULL);
  int err = hub && server ? coho_route_topics(server, "/t/", hub, NULL) : COHO_ENOMEM;
  if (!err) err = coho_server_listen(server, "ws://127.0.0.1:9001");
  if (!err) err = coho_server_run(server);
  if (err) fprintf(stderr, "topics: %s\n", coho_strerror(err));
  coho_server_free(server);
  coho_hub_free(hub);
  return err != 0;
}
