/*
 * lws_fan: fan-out with libwebsockets, as its examples do it: messages in a ring that all share, each
 * connection with its own place in it. Prints "listening PORT".
 */
#include <libwebsockets.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RING = 4096 }; /* messages; who falls further behind is closed */

static struct message {
  unsigned char *data; /* LWS_PRE bytes of room, then the message */
  size_t len, cap;
} ring[RING];
static size_t head; /* messages so far */

struct session {
  size_t next; /* the number of the message it gets next */
};

static struct message *next_place(size_t len) {
  struct message *m = &ring[head % RING];
  if (LWS_PRE + len > m->cap) {
    m->cap = LWS_PRE + len;
    m->data = (unsigned char *)realloc(m->data, m->cap);
    if (!m->data) abort();
  }
  m->len = len;
  return m;
}

/* The buffer that it reads into is larger than what is measured: a message comes in one piece. */
static int take(struct lws *wsi, const void *in, size_t len) {
  if (!lws_is_first_fragment(wsi) || !lws_is_final_fragment(wsi)) return -1;
  memcpy(next_place(len)->data + LWS_PRE, in, len);
  head++;
  lws_callback_on_writable_all_protocol(lws_get_context(wsi), lws_get_protocol(wsi));
  return 0;
}

static int give(struct session *s, struct lws *wsi) {
  if (head - s->next > RING) return -1;
  while (s->next < head && !lws_send_pipe_choked(wsi)) {
    const struct message *m = &ring[s->next++ % RING];
    if (lws_write(wsi, m->data + LWS_PRE, m->len, LWS_WRITE_TEXT) < (int)m->len) return -1;
  }
  if (s->next < head) lws_callback_on_writable(wsi);
  return 0;
}

static int on_event(struct lws *wsi, enum lws_callback_reasons why, void *user, void *in,
                    size_t len) {
  struct session *s = (struct session *)user;
  if (why == LWS_CALLBACK_ESTABLISHED) s->next = head;
  if (why == LWS_CALLBACK_RECEIVE) return take(wsi, in, len);
  if (why == LWS_CALLBACK_SERVER_WRITEABLE) return give(s, wsi);
  return 0;
}

static const struct lws_protocols protocols[] = {
    {"default", on_event, sizeof(struct session), 65536, 0, NULL, 0},
    {NULL, NULL, 0, 0, 0, NULL, 0},
};

int main(void) {
  struct lws_context_creation_info info = {.iface = "127.0.0.1",
                                           .protocols = protocols,
                                           .gid = (gid_t)-1,
                                           .uid = (uid_t)-1,
                                           .pt_serv_buf_size = 65536,
                                           .options = LWS_SERVER_OPTION_EXPLICIT_VHOSTS};
  lws_set_log_level(LLL_ERR, NULL);
  struct lws_context *context = lws_create_context(&info);
  struct lws_vhost *vhost = context ? lws_create_vhost(context, &info) : NULL;
  if (!vhost) return 1;
  printf("listening %d\n", lws_get_vhost_listen_port(vhost));
  fflush(stdout);
  while (lws_service(context, 0) >= 0) {}
  return 0;
}
