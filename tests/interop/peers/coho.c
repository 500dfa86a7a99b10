/* One end of a connection made with coho, told what to do line by line: see ../end.py.

   The path says how it compresses: /off, /shared, /own, /small (the smallest windows). */
#define _POSIX_C_SOURCE 200809L
#include <coho/coho.h>
#include <coho/tls.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct way {
  const char *path;
  coho_deflate deflate;
};

static const struct way ways[] = {
    {"/off", {.mode = COHO_DEFLATE_OFF}},
    {"/shared", {.mode = COHO_DEFLATE_SHARED}},
    {"/own", {.mode = COHO_DEFLATE_OWN}},
    {"/small", {.mode = COHO_DEFLATE_OWN, .window = 9, .peer_window = 9}}};
enum { WAYS = sizeof ways / sizeof *ways, NAMES = 8 };

static coho_loop *loop;
static coho_server *server;
static coho_conn *conn; /* the last one */
static coho_tls *tls;

/* ---- lines --------------------------------------------------------------------------------- */

static void say(const char *word, const char *data, size_t len) {
  printf("%s ", word);
  for (size_t i = 0; i < len; i++)
    printf("%02x", (unsigned char)data[i]);
  puts(len ? "" : "-");
  fflush(stdout);
}

/* Cuts the next word off. */
static char *cut(char **rest) {
  char *word = *rest, *space = strchr(word, ' ');
  *rest = space ? space + 1 : word + strlen(word);
  if (space) *space = '\0';
  return word;
}

static int digit(char c) { return c <= '9' ? c - '0' : c - 'a' + 10; }

/* Turns hexadecimal digits into bytes where they stand, terminated; their number. */
static size_t unpack(char *word) {
  size_t len = strcmp(word, "-") ? strlen(word) / 2 : 0;
  for (size_t i = 0; i < len; i++)
    word[i] = (char)(digit(word[2 * i]) * 16 + digit(word[2 * i + 1]));
  word[len] = '\0';
  return len;
}

static void check(const char *what, int result) {
  if (result >= 0) return;
  printf("failed %s: %s\n", what, coho_errname(result));
  fflush(stdout);
}

/* ---- what happens -------------------------------------------------------------------------- */

static void on_open(coho_conn *c) {
  const char *protocol = coho_conn_protocol(c);
  conn = c;
  printf("opened %s\n", *protocol ? protocol : "-");
  fflush(stdout);
}

static void on_message(coho_conn *c, coho_msg m) {
  (void)c;
  say(m.type == COHO_TEXT ? "text" : "binary", m.data, m.len);
}

static void on_ping(coho_conn *c, coho_msg m) {
  (void)c;
  say("ping", m.data, m.len);
}

static void on_pong(coho_conn *c, coho_msg m) {
  (void)c;
  say("pong", m.data, m.len);
}

static void on_close(coho_conn *c, const coho_ending *how) {
  char code[24];
  if (c == conn) conn = NULL;
  (void)snprintf(code, sizeof code, "closed %u", how->code);
  if (how->err)
    printf("failed %s %s\n", coho_errname(how->err), how->detail);
  else
    say(code, how->reason, how->reason_len);
  fflush(stdout);
}

/* ---- what it is told ----------------------------------------------------------------------- */

static coho_options options(const struct way *way, const char *const *protocols) {
  coho_options opt = {.on_open = on_open,
                      .on_message = on_message,
                      .on_ping = on_ping,
                      .on_pong = on_pong,
                      .on_close = on_close,
                      .protocols = protocols,
                      .deflate = way->deflate};
  return opt;
}

static const struct way *way_of(const char *url) {
  const char *path = strrchr(url, '/');
  for (size_t i = 0; path && i < WAYS; i++)
    if (!strcmp(ways[i].path, path)) return &ways[i];
  return &ways[0];
}

static void open_one(char *rest) {
  const char *protocols[NAMES + 1] = {NULL};
  const char *url = cut(&rest);
  size_t count = 0;
  for (char *at = strcmp(rest, "-") ? rest : NULL; at && count < NAMES; count++) {
    char *comma = strchr(at, ',');
    protocols[count] = at;
    at = comma ? comma + 1 : NULL;
    if (comma) *comma = '\0';
  }
  coho_options opt = options(way_of(url), protocols);
  opt.tls = tls;
  check("open", coho_connect(loop, url, &opt, NULL));
}

static void send_one(const char *kind, char *data, uint32_t flags) {
  coho_msg m = {.type = *kind == 't' ? COHO_TEXT : COHO_BINARY, .flags = flags};
  m.len = unpack(data);
  m.data = data;
  int result = coho_send(conn, m);
  if (result != COHO_ECLOSED) check("send", result); /* of that on_close tells more */
}

static void send_parts(char *rest) {
  char *kind = cut(&rest);
  while (*rest) {
    char *part = cut(&rest);
    if (!strcmp(part, "ping"))
      check("ping", coho_ping(conn, "between", 7));
    else
      send_one(kind, part, *rest ? COHO_MORE : 0);
  }
}

static void close_it(char *rest) {
  int code = (int)strtol(cut(&rest), NULL, 10);
  size_t len = unpack(rest);
  check("close", coho_close(conn, code, len ? rest : NULL));
}

static void obey(char *line) {
  char *word = cut(&line);
  if (!strcmp(word, "open")) {
    open_one(line);
  } else if (!conn) {
    puts("failed: no connection");
    fflush(stdout);
  } else if (!strcmp(word, "send")) {
    char *kind = cut(&line);
    send_one(kind, line, 0);
  } else if (!strcmp(word, "parts")) {
    send_parts(line);
  } else if (!strcmp(word, "ping")) {
    size_t len = unpack(line);
    check("ping", coho_ping(conn, line, len));
  } else if (!strcmp(word, "close")) {
    close_it(line);
  }
}

/* Reads what is there and obeys its lines; 0 at the end. */
static int read_lines(void) {
  static char *text;
  static size_t len, cap;
  if (cap - len < 65536) {
    char *more = (char *)realloc(text, cap = 2 * cap + 65536);
    if (!more) abort();
    text = more;
  }
  ssize_t n = read(0, text + len, cap - len - 1);
  if (n <= 0) {
    free(text);
    return 0;
  }
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
  return 1;
}

/* ---- beginning and end --------------------------------------------------------------------- */

static void page(coho_request *r, void *user) {
  (void)user;
  coho_reply(r, 200, "text/html; charset=utf-8", "<!doctype html>\n", 16);
}

static int serve(const char *folder) {
  static const char *const protocols[] = {"superchat", NULL};
  coho_server_options so = {.loop = loop, .tls = tls};
  server = coho_server_new(&so);
  int err = server ? coho_route_http(server, "GET", "/", page, NULL) : COHO_ENOMEM;
  for (size_t i = 0; i < WAYS && !err; i++) {
    coho_options opt = options(&ways[i], protocols);
    err = coho_route_ws(server, ways[i].path, &opt);
  }
  if (!err) err = coho_server_listen(server, folder ? "wss://127.0.0.1:0" : "ws://127.0.0.1:0");
  if (!err) err = coho_server_start(server);
  if (!err) printf("listening %s\n", coho_server_url(server, 0));
  return err;
}

static int prepare_tls(int serves, const char *folder) {
  char cert[512], key[512], ca[512], why[256];
  coho_tls_options opt = {.flags = 0};
  if (!folder) return 0;
  (void)snprintf(cert, sizeof cert, "%s/cert.pem", folder);
  (void)snprintf(key, sizeof key, "%s/key.pem", folder);
  (void)snprintf(ca, sizeof ca, "%s/ca.pem", folder);
  opt.cert = serves ? cert : NULL;
  opt.key = serves ? key : NULL;
  opt.ca = serves ? NULL : ca;
  int err = coho_tls_new(&opt, &tls, why, sizeof why);
  if (err) fprintf(stderr, "coho: %s\n", why);
  return err;
}

static void talk(void) {
  struct pollfd fds[2] = {{.fd = 0, .events = POLLIN},
                          {.fd = coho_loop_fd(loop), .events = POLLIN}};
  do {
    coho_loop_turn(loop, 0);
    (void)poll(fds, 2, coho_loop_timeout(loop));
  } while (!fds[0].revents || read_lines());
}

int main(int argc, char **argv) {
  int serves = argc > 1 && !strcmp(argv[1], "server");
  const char *folder = argc > 2 ? argv[2] : NULL;
  loop = coho_loop_new();
  printf("version %s\n", coho_version());
  int err = loop ? prepare_tls(serves, folder) : COHO_ENOMEM;
  if (!err && serves) err = serve(folder);
  fflush(stdout);
  if (!err) talk();
  if (err) fprintf(stderr, "coho: %s\n", coho_strerror(err));
  coho_server_free(server);
  coho_loop_free(loop);
  coho_tls_free(tls);
  return err != 0;
}
