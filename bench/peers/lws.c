/* lws none|deflate [CERT KEY]: an echo server with libwebsockets. Prints "listening PORT". */
#include <libwebsockets.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct session {
  unsigned char *data; /* LWS_PRE bytes of room, then the message */
  size_t len, cap;
  int binary, whole;
};

static void take(struct session *s, struct lws *wsi, const void *in, size_t len) {
  if (lws_is_first_fragment(wsi)) {
    s->len = 0;
    s->binary = lws_frame_is_binary(wsi);
  }
  if (LWS_PRE + s->len + len > s->cap) {
    s->cap = (LWS_PRE + s->len + len) * 2;
    s->data = (unsigned char *)realloc(s->data, s->cap);
    if (!s->data) abort();
  }
  if (len) memcpy(s->data + LWS_PRE + s->len, in, len);
  s->len += len;
  if (!lws_is_final_fragment(wsi) || lws_remaining_packet_payload(wsi)) return;
  s->whole = 1;
  lws_rx_flow_control(wsi, 0);
  lws_callback_on_writable(wsi);
}

static int answer(struct session *s, struct lws *wsi) {
  if (!s->whole) return 0;
  s->whole = 0;
  int n = lws_write(wsi, s->data + LWS_PRE, s->len, s->binary ? LWS_WRITE_BINARY : LWS_WRITE_TEXT);
  lws_rx_flow_control(wsi, 1);
  return n < (int)s->len ? -1 : 0;
}

static int on_event(struct lws *wsi, enum lws_callback_reasons why, void *user, void *in,
                    size_t len) {
  struct session *s = (struct session *)user;
  if (why == LWS_CALLBACK_RECEIVE) take(s, wsi, in, len);
  if (why == LWS_CALLBACK_SERVER_WRITEABLE) return answer(s, wsi);
  if (why == LWS_CALLBACK_CLOSED) free(s->data);
  return 0;
}

static const struct lws_protocols protocols[] = {
    {"default", on_event, sizeof(struct session), 65536, 0, NULL, 0},
    {NULL, NULL, 0, 0, 0, NULL, 0},
};

static const struct lws_extension extensions[] = {
    {"permessage-deflate", lws_extension_callback_pm_deflate,
     "permessage-deflate; client_no_context_takeover; client_max_window_bits"},
    {NULL, NULL, NULL},
};

int main(int argc, char **argv) {
  struct lws_context_creation_info info = {.iface = "127.0.0.1",
                                           .protocols = protocols,
                                           .gid = (gid_t)-1,
                                           .uid = (uid_t)-1,
                                           .pt_serv_buf_size = 65536,
                                           .options = LWS_SERVER_OPTION_EXPLICIT_VHOSTS};
  if (argc > 1 && !strcmp(argv[1], "deflate")) info.extensions = extensions;
  if (argc > 3) {
    info.options |= LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT;
    info.ssl_cert_filepath = argv[2];
    info.ssl_private_key_filepath = argv[3];
  }
  lws_set_log_level(LLL_ERR, NULL);
  struct lws_context *context = lws_create_context(&info);
  struct lws_vhost *vhost = context ? lws_create_vhost(context, &info) : NULL;
  if (!vhost) return 1;
  printf("listening %d\n", lws_get_vhost_listen_port(vhost));
  fflush(stdout);
  while (lws_service(context, 0) >= 0) {}
  return 0;
}
