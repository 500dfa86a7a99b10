/* The engine with somebody else's I/O: an echo server on stdin and stdout, one process for each
   connection, as inetd, systemd sockets or `socat TCP-LISTEN:9001,fork EXEC:./core_echo` start it. */
#include <coho/core.h>
#include <unistd.h>

static int flush(int fd, coho_ws *ws) {
  for (coho_bytes out; (out = coho_ws_output(ws)).len;) {
    ssize_t n = write(fd, out.data, out.len);
    if (n < 0) return -1;
    coho_ws_sent(ws, (size_t)n);
  }
  return coho_ws_finished(ws);
}

int main(void) {
  static char buf[65536];
  ssize_t n;
  coho_ws *ws = coho_ws_new(COHO_SERVER, NULL);
  while (ws && flush(1, ws) == 0 && (n = read(0, buf, sizeof buf)) > 0) {
    coho_ws_input(ws, buf, (size_t)n);
    for (const coho_event *e; (e = coho_ws_next(ws));)
      if (e->type == COHO_MESSAGE) coho_ws_send(ws, e->msg);
  }
  coho_ws_free(ws);
  return ws == NULL;
}
