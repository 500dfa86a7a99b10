/* An echo client made with coho: client [--driver] URL, as client.py. */
#include <coho/coho.h>
#include <coho/tls.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char heard[256];
static coho_tls *tls;

static void echo(coho_conn *c, coho_msg m) { (void)coho_send(c, m); }

static void hear(coho_conn *c, coho_msg m) {
  (void)c;
  (void)snprintf(heard, sizeof heard, "%.*s", (int)m.len, (const char *)m.data);
}

/* Until the connection is over, in whatever way. */
static void talk(const char *url, void (*on_message)(coho_conn *, coho_msg)) {
  coho_options opt = {.on_message = on_message,
                      .tls = tls,
                      .max_message = 8 << 20,
                      .max_queue = 64 << 20,
                      .flags = COHO_NO_SIGNALS,
                      .deflate = {.mode = COHO_DEFLATE_OWN, .min_size = 1}};
  (void)coho_dial(url, &opt);
}

static void talk_at(const char *url, const char *path, unsigned long number,
                    void (*on_message)(coho_conn *, coho_msg)) {
  char whole[512];
  (void)snprintf(whole, sizeof whole, "%s%s?case=%lu&agent=coho", url, path, number);
  talk(whole, on_message);
}

/* The exit status: there are always cases. */
static int drive(const char *url) {
  talk_at(url, "getCaseCount", 0, hear);
  unsigned long count = strtoul(heard, NULL, 10);
  for (unsigned long i = 1; i <= count; i++) {
    talk_at(url, "runCase", i, echo);
    talk_at(url, "getCaseStatus", i, hear);
    puts(heard);
  }
  talk_at(url, "updateReports", 0, hear);
  return count == 0;
}

int main(int argc, char **argv) {
  char why[256] = "";
  if (coho_tls_new(&(coho_tls_options){.flags = COHO_TLS_INSECURE}, &tls, why, sizeof why)) {
    fprintf(stderr, "client: %s\n", why);
    return 1;
  }
  int status = 0;
  if (argc > 2)
    status = drive(argv[2]);
  else
    talk(argv[1], echo);
  coho_tls_free(tls);
  return status;
}
