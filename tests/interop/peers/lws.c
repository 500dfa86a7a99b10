/* One end of a connection made with libwebsockets, told what to do line by line: see ../end.py. */
#include <libwebsockets.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What waits to be sent; data stands behind LWS_PRE bytes. A close has its code and reason. */
struct item {
  struct item *next;
  int flags; /* enum lws_write_protocol, CLOSE */
  int code;
  size_t len;
  unsigned char data[];
};

enum { CLOSE = 0x1000, RECEIVE_BYTES = 65536 };

static struct lws_context *context;
static struct lws *connection; /* the last one */
static struct item *first, **last = &first;
static unsigned char *message;
static size_t message_len;
static char closed[300]; /* what the peer's Close said */
static char chosen[64];  /* client: the subprotocol of the answer */
static int input_ended;

/* ---- lines --------------------------------------------------------------------------------- */

static void say(const char *word, const void *data, size_t len) {
  const unsigned char *bytes = (const unsigned char *)data;
  printf("%s ", word);
  for (size_t i = 0; i < len; i++)
    printf("%02x", bytes[i]);
  puts(len ? "" : "-");
  fflush(stdout);
}

static char *cut(char **rest) {
  char *word = *rest, *space = strchr(word, ' ');
  *rest = space ? space + 1 : word + strlen(word);
  if (space) *space = '\0';
  return word;
}

static int digit(char c) { return c <= '9' ? c - '0' : c - 'a' + 10; }

static void queue(int flags, int code, const char *word) {
  size_t len = strcmp(word, "-") ? strlen(word) / 2 : 0;
  struct item *it = (struct item *)malloc(sizeof *it + LWS_PRE + len);
  if (!it) abort();
  *it = (struct item){.flags = flags, .code = code, .len = len};
  for (size_t i = 0; i < len; i++)
    it->data[LWS_PRE + i] = (unsigned char)(digit(word[2 * i]) * 16 + digit(word[2 * i + 1]));
  *last = it;
  last = &it->next;
  if (connection) lws_callback_on_writable(connection);
}

/* ---- what it is told ----------------------------------------------------------------------- */

static void open_one(char *rest) {
  char *url = cut(&rest);
  const char *scheme, *address, *path;
  char whole[256];
  int port;
  if (lws_parse_uri(url, &scheme, &address, &port, &path)) return;
  (void)snprintf(whole, sizeof whole, "/%s", path);
  struct lws_client_connect_info info = {.context = context,
                                         .address = address,
                                         .port = port,
                                         .path = whole,
                                         .host = address,
                                         .protocol = strcmp(rest, "-") ? rest : NULL,
                                         .local_protocol_name = "plain",
                                         .alpn = "http/1.1",
                                         .ssl_connection =
                                             strcmp(scheme, "wss") ? 0 : LCCSCF_USE_SSL};
  lws_client_connect_via_info(&info); /* what fails is told to the callback */
}

static void send_parts(char *rest) {
  int flags = *cut(&rest) == 't' ? LWS_WRITE_TEXT : LWS_WRITE_BINARY;
  while (*rest) {
    char *part = cut(&rest);
    if (!strcmp(part, "ping")) {
      queue(LWS_WRITE_PING, 0, "6265747765656e"); /* between */
      continue;
    }
    queue(flags | (*rest ? LWS_WRITE_NO_FIN : 0), 0, part);
    flags = LWS_WRITE_CONTINUATION;
  }
}

static void obey(char *line) {
  char *word = cut(&line);
  if (!strcmp(word, "open")) {
    open_one(line);
  } else if (!strcmp(word, "send")) {
    char *kind = cut(&line);
    queue(*kind == 't' ? LWS_WRITE_TEXT : LWS_WRITE_BINARY, 0, line);
  } else if (!strcmp(word, "parts")) {
    send_parts(line);
  } else if (!strcmp(word, "ping")) {
    queue(LWS_WRITE_PING, 0, line);
  } else if (!strcmp(word, "close")) {
    char *code = cut(&line);
    queue(CLOSE, (int)strtol(code, NULL, 10), line);
  }
}

static int read_lines(void) {
  static char *text;
  static size_t len, cap;
  if (cap - len < RECEIVE_BYTES) {
    text = (char *)realloc(text, cap = 2 * cap + RECEIVE_BYTES);
    if (!text) abort();
  }
  ssize_t n = read(0, text + len, cap - len - 1);
  if (n <= 0) return -1;
  char *line = text, *from = text + len, *end;
  len += (size_t)n;
  text[len] = '\0';
  while ((end = strchr(from, '\n'))) {
    *end = '\0';
    obey(line);
    line = from = end + 1;
  }
  len -= (size_t)(line - text);
  memmove(text, line, len);
  return 0;
}

/* ---- what happens -------------------------------------------------------------------------- */

static void opened(struct lws *wsi, const char *protocol) {
  connection = wsi;
  /* Of 2 MiB: a message that needs its compression buffers twice is sent damaged. */
  lws_set_extension_option(wsi, "permessage-deflate", "rx_buf_size", "21");
  lws_set_extension_option(wsi, "permessage-deflate", "tx_buf_size", "21");
  message_len = 0;
  closed[0] = '\0';
  printf("opened %s\n", *protocol ? protocol : "-");
  fflush(stdout);
}

static const char *served(struct lws *wsi) {
  const char *name = lws_get_protocol(wsi)->name;
  return strcmp(name, "plain") ? name : "";
}

static void received(struct lws *wsi, const void *in, size_t len) {
  message = (unsigned char *)realloc(message, message_len + len + 1);
  if (!message) abort();
  memcpy(message + message_len, in, len);
  message_len += len;
  if (!lws_is_final_fragment(wsi) || lws_remaining_packet_payload(wsi)) return;
  say(lws_frame_is_binary(wsi) ? "binary" : "text", message, message_len);
  message_len = 0;
}

/* Sends one; what lws_write() returns counts compressed bytes too, so only -1 tells something. */
static int write_one(struct lws *wsi) {
  struct item *it = first;
  int result = 0;
  if (!it) return 0;
  first = it->next;
  if (!first) last = &first;
  if (it->flags != CLOSE) {
    result = lws_write(wsi, it->data + LWS_PRE, it->len, (enum lws_write_protocol)it->flags) < 0
                 ? -1
                 : 0;
  } else {
    if (it->code)
      lws_close_reason(wsi, (enum lws_close_status)it->code, it->data + LWS_PRE, it->len);
    result = -1;
  }
  free(it);
  if (first) lws_callback_on_writable(wsi);
  return result;
}

static void peer_closes(const unsigned char *in, size_t len) {
  int at = snprintf(closed, sizeof closed, "closed %d", len < 2 ? 1005 : in[0] * 256 + in[1]);
  for (size_t i = 2; i < len; i++)
    at += snprintf(closed + at, sizeof closed - (size_t)at, "%s%02x", i == 2 ? " " : "", in[i]);
  if (len <= 2) memcpy(closed + at, " -", 3);
}

static void ended(struct lws *wsi) {
  if (wsi == connection) connection = NULL;
  puts(closed[0] ? closed : "closed ? -");
  fflush(stdout);
}

static int talk(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                size_t len) {
  (void)user;
  switch ((int)reason) {
  case LWS_CALLBACK_ESTABLISHED: opened(wsi, served(wsi)); return 0;
  case LWS_CALLBACK_CLIENT_FILTER_PRE_ESTABLISH:
    if (lws_hdr_copy(wsi, chosen, sizeof chosen, WSI_TOKEN_PROTOCOL) < 0) chosen[0] = '\0';
    return 0;
  case LWS_CALLBACK_CLIENT_ESTABLISHED: opened(wsi, chosen); return 0;
  case LWS_CALLBACK_RECEIVE:
  case LWS_CALLBACK_CLIENT_RECEIVE: received(wsi, in, len); return 0;
  case LWS_CALLBACK_RECEIVE_PONG:
  case LWS_CALLBACK_CLIENT_RECEIVE_PONG: say("pong", in, len); return 0;
  case LWS_CALLBACK_SERVER_WRITEABLE:
  case LWS_CALLBACK_CLIENT_WRITEABLE: return write_one(wsi);
  case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE: peer_closes((const unsigned char *)in, len); return 0;
  case LWS_CALLBACK_CLOSED:
  case LWS_CALLBACK_CLIENT_CLOSED: ended(wsi); return 0;
  case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
    printf("failed %.*s\n", in ? (int)len : 0, in ? (const char *)in : "");
    fflush(stdout);
    return 0;
  case LWS_CALLBACK_RAW_RX_FILE: return read_lines();
  case LWS_CALLBACK_RAW_CLOSE_FILE:
    input_ended = 1;
    lws_cancel_service(context);
    return 0;
  default: return 0;
  }
}

/* ---- beginning and end --------------------------------------------------------------------- */

/* The first serves those that offer no subprotocol. */
static const struct lws_protocols protocols[] = {
    {.name = "plain", .callback = talk, .rx_buffer_size = RECEIVE_BYTES},
    {.name = "superchat", .callback = talk, .rx_buffer_size = RECEIVE_BYTES},
    {.name = NULL}};
static const struct lws_extension extensions[] = {{"permessage-deflate",
                                                   lws_extension_callback_pm_deflate,
                                                   "permessage-deflate; client_max_window_bits"},
                                                  {NULL, NULL, NULL}};

static struct lws_vhost *start(int serves, const char *folder) {
  static char cert[512], key[512], ca[512];
  struct lws_context_creation_info info = {.port = serves ? 0 : CONTEXT_PORT_NO_LISTEN,
                                           .iface = serves ? "127.0.0.1" : NULL,
                                           .protocols = protocols,
                                           .extensions = extensions,
                                           .options = LWS_SERVER_OPTION_EXPLICIT_VHOSTS,
                                           .gid = (gid_t)-1,
                                           .uid = (uid_t)-1};
  lws_set_log_level(LLL_ERR, NULL);
  if (folder) {
    info.options |= LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT;
    (void)snprintf(cert, sizeof cert, "%s/cert.pem", folder);
    (void)snprintf(key, sizeof key, "%s/key.pem", folder);
    (void)snprintf(ca, sizeof ca, "%s/ca.pem", folder);
    info.ssl_cert_filepath = serves ? cert : NULL;
    info.ssl_private_key_filepath = serves ? key : NULL;
    info.client_ssl_ca_filepath = serves ? NULL : ca;
  }
  context = lws_create_context(&info);
  return context ? lws_create_vhost(context, &info) : NULL;
}

int main(int argc, char **argv) {
  int serves = argc > 1 && !strcmp(argv[1], "server");
  const char *folder = argc > 2 ? argv[2] : NULL;
  struct lws_vhost *vhost = start(serves, folder);
  lws_sock_file_fd_type input = {.filefd = 0};
  if (!vhost || !lws_adopt_descriptor_vhost(vhost, LWS_ADOPT_RAW_FILE_DESC, input, "plain", NULL))
    return 1;
  const char *version = lws_get_library_version(); /* with "-" and a commit behind it */
  printf("version %.*s\n", (int)strcspn(version, "-"), version);
  if (serves)
    printf("listening %s://127.0.0.1:%d\n", folder ? "wss" : "ws",
           lws_get_vhost_listen_port(vhost));
  fflush(stdout);
  while (!input_ended && lws_service(context, 0) >= 0) {}
  lws_context_destroy(context);
  return 0;
}
