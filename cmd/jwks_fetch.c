#include "jwks_fetch.h"

#include "base/buf.h"
#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/view.h"

#include <coho/log.h>
#include <curl/curl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
  MINUTE_MS = 60 * 1000,
  KEEP_LEAST_S = 5 * 60,
  KEEP_MOST_S = 24 * 3600,
  KEEP_USUAL_S = 3600, /* where the server says nothing */
  BACKOFF_MOST = 5,    /* doublings of a minute */
  CONNECT_MS = 5000,
  FETCH_MS = 10000,
  BODY_MOST = 256 * 1024,
  HOPS_MOST = 3, /* redirects, within the host */
  SLEEP_MOST_MS = 3600 * 1000
};

/* The keys of one issuer. */
struct feed {
  char *issuer, *url;
  CURL *easy; /* NULL: at rest */
  struct coho__buf body;
  char trouble[CURL_ERROR_SIZE];
  uint64_t begun_ms, due_ms; /* the last time and the next one */
  unsigned hops, failures;   /* redirects of this time; times in a row */
  bool tried, asked;         /* once; since it began: by a token whose key is unknown. Locked. */
  bool again;                /* now, whatever was before. Locked. */
};

struct jwks_fetch {
  coho_keys *keys;
  struct feed feeds[JWKS_SOURCES_MOST];
  size_t count;
  uint64_t minute_ms;
  char *ca;
  CURLM *multi;
  pthread_t thread;
  pthread_mutex_t lock;
  pthread_cond_t progress; /* of tried */
  bool stopping;           /* locked */
};

/* ---- URLs ----------------------------------------------------------------------------------- */

static char *url_part(CURLU *u, CURLUPart part) {
  char *text = NULL;
  return curl_url_get(u, part, &text, CURLU_DEFAULT_PORT) ? NULL : text;
}

static bool is_loopback(const char *host) {
  return !strcmp(host, "localhost") || !strcmp(host, "127.0.0.1") || !strcmp(host, "[::1]");
}

static const char *judge(CURLU *u, const char *url) {
  if (curl_url_set(u, CURLUPART_URL, url, CURLU_DISALLOW_USER)) return "it is no URL";
  char *scheme = url_part(u, CURLUPART_SCHEME), *host = url_part(u, CURLUPART_HOST);
  const char *wrong = "it is not https, nor http from this machine";
  if (!scheme || !host) wrong = "it is no URL";
  if (scheme && host && !strcmp(scheme, "https")) wrong = NULL;
  if (scheme && host && !strcmp(scheme, "http") && is_loopback(host)) wrong = NULL;
  curl_free(scheme);
  curl_free(host);
  return wrong;
}

const char *jwks_url_objection(const char *url) {
  CURLU *u = curl_url();
  if (!u) return "out of memory";
  const char *wrong = judge(u, url);
  curl_url_cleanup(u);
  return wrong;
}

static bool same_part(CURLU *a, CURLU *b, CURLUPart part) {
  char *one = url_part(a, part), *other = url_part(b, part);
  bool same = one && other && !strcmp(one, other);
  curl_free(one);
  curl_free(other);
  return same;
}

/* Scheme, host and port are the same. */
static bool same_server(const char *a, const char *b) {
  CURLU *one = curl_url(), *other = curl_url();
  bool same = one && other && !curl_url_set(one, CURLUPART_URL, a, 0) &&
              !curl_url_set(other, CURLUPART_URL, b, 0) &&
              same_part(one, other, CURLUPART_SCHEME) && same_part(one, other, CURLUPART_HOST) &&
              same_part(one, other, CURLUPART_PORT);
  curl_url_cleanup(one);
  curl_url_cleanup(other);
  return same;
}

/* ---- how long keys are kept ----------------------------------------------------------------- */

/* RFC 9111 5.2.2: the seconds of max-age, 0 when nothing is to be kept. */
static uint64_t age_of(struct coho__view rest) {
  uint64_t seconds = KEEP_USUAL_S;
  while (rest.data) {
    struct coho__view one = coho__view_trim(coho__view_split(&rest, ','));
    if (coho__view_eq_nocase(one, VIEW("no-store")) || coho__view_eq_nocase(one, VIEW("no-cache")))
      return 0;
    if (!coho__view_take_nocase(&one, VIEW("max-age="))) continue;
    if (!coho__view_number(one, UINT32_MAX, &seconds)) seconds = 0;
  }
  return seconds;
}

uint64_t jwks_keep_ms(const char *cache_control) {
  uint64_t seconds = age_of(coho__view_of(cache_control));
  seconds = COHO_MAX(seconds, (uint64_t)KEEP_LEAST_S);
  return COHO_MIN(seconds, (uint64_t)KEEP_MOST_S) * 1000;
}

static uint64_t now_ms(void) { return coho__clock_ns() / 1000000; }

/* ---- one fetch ------------------------------------------------------------------------------ */

static size_t on_body(char *data, size_t size, size_t count, void *ctx) {
  struct feed *feed = (struct feed *)ctx;
  return coho__buf_append(&feed->body, data, size * count) ? 0 : size * count;
}

/* Redirects get no more time. */
static long time_left(const struct feed *feed) {
  uint64_t gone = now_ms() - feed->begun_ms;
  return gone < FETCH_MS ? FETCH_MS - (long)gone : 1;
}

static void set_options(struct jwks_fetch *f, struct feed *feed, const char *url) {
  CURL *e = feed->easy;
  feed->trouble[0] = '\0';
  curl_easy_setopt(e, CURLOPT_URL, url);
  curl_easy_setopt(e, CURLOPT_PRIVATE, feed);
  curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_body);
  curl_easy_setopt(e, CURLOPT_WRITEDATA, feed);
  curl_easy_setopt(e, CURLOPT_ERRORBUFFER, feed->trouble);
  curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "https,http");
  curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
  curl_easy_setopt(e, CURLOPT_TIMEOUT_MS, time_left(feed));
  curl_easy_setopt(e, CURLOPT_MAXFILESIZE, (long)BODY_MOST);
  curl_easy_setopt(e, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
  curl_easy_setopt(e, CURLOPT_USERAGENT, "coho");
  if (f->ca) curl_easy_setopt(e, CURLOPT_CAINFO, f->ca);
  if (!strncmp(url, "http:", 5))
    curl_easy_setopt(e, CURLOPT_PROXY, ""); /* not out of the machine */
}

/* Whether the transfer runs; else the feed is at rest. */
static bool go(struct jwks_fetch *f, struct feed *feed, const char *url) {
  feed->easy = curl_easy_init();
  if (!feed->easy) return false;
  coho__buf_init(&feed->body, BODY_MOST);
  set_options(f, feed, url);
  if (curl_multi_add_handle(f->multi, feed->easy) == CURLM_OK) return true;
  curl_easy_cleanup(feed->easy);
  feed->easy = NULL;
  return false;
}

static void rest(struct jwks_fetch *f, struct feed *feed) {
  if (!feed->easy) return;
  (void)curl_multi_remove_handle(f->multi, feed->easy);
  curl_easy_cleanup(feed->easy);
  feed->easy = NULL;
  coho__buf_release(&feed->body);
}

static void set_tried(struct jwks_fetch *f, struct feed *feed) {
  pthread_mutex_lock(&f->lock);
  feed->tried = true;
  pthread_cond_broadcast(&f->progress);
  pthread_mutex_unlock(&f->lock);
}

static void fail(struct jwks_fetch *f, struct feed *feed, const char *why) {
  char escaped[256];
  (void)coho__escape(escaped, sizeof escaped, why, strlen(why));
  /* A query may hold what nobody else is to read. */
  coho__log(COHO_LOG_WARN, "the keys of %s were not fetched, those that are there stay: %.*s: %s",
            feed->issuer, (int)strcspn(feed->url, "?#"), feed->url, escaped);
  feed->due_ms = now_ms() + (f->minute_ms << COHO_MIN(feed->failures, (unsigned)BACKOFF_MOST));
  feed->failures++;
  rest(f, feed);
  set_tried(f, feed);
}

static void begin(struct jwks_fetch *f, struct feed *feed) {
  feed->begun_ms = now_ms();
  feed->hops = 0;
  if (!go(f, feed, feed->url)) fail(f, feed, "out of memory");
}

/* ---- its end -------------------------------------------------------------------------------- */

static void take(struct jwks_fetch *f, struct feed *feed) {
  char why[256];
  struct curl_header *h = NULL;
  coho_key_source source = {.issuer = feed->issuer,
                            .data = feed->body.data ? feed->body.data : "",
                            .len = feed->body.len,
                            .kind = COHO_KEY_JWKS,
                            .flags = COHO_KEY_PUBLIC};
  bool said = curl_easy_header(feed->easy, "Cache-Control", 0, CURLH_HEADER, -1, &h) == CURLHE_OK;
  uint64_t keep = jwks_keep_ms(said ? h->value : NULL);
  if (coho_keys_replace(f->keys, &source, why, sizeof why)) {
    fail(f, feed, why);
    return;
  }
  coho__log(COHO_LOG_INFO, "the keys of %s were fetched", feed->issuer);
  feed->failures = 0;
  feed->due_ms = feed->begun_ms + keep / MINUTE_MS * f->minute_ms;
  rest(f, feed);
  set_tried(f, feed);
}

/* To another place on the same server; elsewhere nobody goes. */
static void redirect(struct jwks_fetch *f, struct feed *feed) {
  const char *to = NULL;
  (void)curl_easy_getinfo(feed->easy, CURLINFO_REDIRECT_URL, &to);
  char *url = to ? strdup(to) : NULL;
  if (!url)
    fail(f, feed, "a redirect to nowhere");
  else if (!same_server(url, feed->url))
    fail(f, feed, "a redirect to another server");
  else if (feed->hops++ == HOPS_MOST)
    fail(f, feed, "too many redirects");
  else {
    rest(f, feed);
    if (!go(f, feed, url)) fail(f, feed, "out of memory");
  }
  free(url);
}

static void finish(struct jwks_fetch *f, struct feed *feed, CURLcode code) {
  char why[64];
  long status = 0;
  (void)curl_easy_getinfo(feed->easy, CURLINFO_RESPONSE_CODE, &status);
  if (code == CURLE_WRITE_ERROR || code == CURLE_FILESIZE_EXCEEDED) {
    fail(f, feed, "more than 256 KiB");
  } else if (code) {
    fail(f, feed, feed->trouble[0] ? feed->trouble : curl_easy_strerror(code));
  } else if (status == 200) {
    take(f, feed);
  } else if (status == 301 || status == 302 || status == 303 || status == 307 || status == 308) {
    redirect(f, feed);
  } else {
    (void)snprintf(why, sizeof why, "the server answered %ld", status);
    fail(f, feed, why);
  }
}

/* ---- the thread ----------------------------------------------------------------------------- */

/* Begins what is due; false: it is time to stop. */
static bool begin_due(struct jwks_fetch *f, int *sleep_ms) {
  uint64_t now = now_ms(), next = now + SLEEP_MOST_MS;
  for (size_t i = 0; i < f->count; i++) {
    struct feed *feed = &f->feeds[i];
    if (feed->easy) continue;
    pthread_mutex_lock(&f->lock);
    if (feed->asked) feed->due_ms = COHO_MIN(feed->due_ms, feed->begun_ms + f->minute_ms);
    bool due = feed->again || feed->due_ms <= now;
    if (due) feed->asked = feed->again = false;
    pthread_mutex_unlock(&f->lock);
    if (due) begin(f, feed);
    if (!feed->easy) next = COHO_MIN(next, feed->due_ms);
  }
  *sleep_ms = next > now ? (int)(next - now) : 0;
  pthread_mutex_lock(&f->lock);
  bool stopping = f->stopping;
  pthread_mutex_unlock(&f->lock);
  return !stopping;
}

static void finish_all(struct jwks_fetch *f) {
  CURLMsg *m;
  int left;
  while ((m = curl_multi_info_read(f->multi, &left))) {
    char *feed = NULL;
    if (m->msg != CURLMSG_DONE) continue;
    CURLcode code = m->data.result; /* m goes with its handle */
    (void)curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &feed);
    finish(f, (struct feed *)(void *)feed, code);
  }
}

static void *run(void *ctx) {
  struct jwks_fetch *f = (struct jwks_fetch *)ctx;
  int sleep_ms, running;
  while (begin_due(f, &sleep_ms)) {
    (void)curl_multi_poll(f->multi, NULL, 0, sleep_ms, NULL);
    (void)curl_multi_perform(f->multi, &running);
    finish_all(f);
  }
  for (size_t i = 0; i < f->count; i++)
    rest(f, &f->feeds[i]);
  return NULL;
}

/* Called inside coho_keys: it only leaves a note. */
static void on_unknown(void *ctx, const char *issuer) {
  struct jwks_fetch *f = (struct jwks_fetch *)ctx;
  pthread_mutex_lock(&f->lock);
  for (size_t i = 0; i < f->count; i++)
    if (!strcmp(f->feeds[i].issuer, issuer)) f->feeds[i].asked = true;
  pthread_mutex_unlock(&f->lock);
  (void)curl_multi_wakeup(f->multi);
}

/* ---- life ----------------------------------------------------------------------------------- */

static void free_fetch(struct jwks_fetch *f) {
  for (size_t i = 0; i < f->count; i++) {
    free(f->feeds[i].issuer);
    free(f->feeds[i].url);
  }
  if (f->multi) (void)curl_multi_cleanup(f->multi);
  pthread_cond_destroy(&f->progress);
  pthread_mutex_destroy(&f->lock);
  free(f->ca);
  free(f);
}

static int check(const struct jwks_options *opt) {
  if (opt->count > JWKS_SOURCES_MOST) return COHO_EFULL;
  for (size_t i = 0; i < opt->count; i++) {
    const struct jwks_source *s = &opt->sources[i];
    if (!s->issuer || !*s->issuer) return COHO_EOPTION;
    if (!s->url || jwks_url_objection(s->url)) return COHO_EURL;
    for (size_t j = 0; j < i; j++)
      if (!strcmp(s->issuer, opt->sources[j].issuer)) return COHO_EEXISTS;
  }
  return 0;
}

static int copy(struct jwks_fetch *f, const struct jwks_options *opt) {
  for (size_t i = 0; i < opt->count; i++) {
    struct feed *feed = &f->feeds[f->count++];
    feed->issuer = strdup(opt->sources[i].issuer);
    feed->url = strdup(opt->sources[i].url);
    if (!feed->issuer || !feed->url) return COHO_ENOMEM;
  }
  if (opt->ca && !(f->ca = strdup(opt->ca))) return COHO_ENOMEM;
  f->multi = curl_multi_init();
  return f->multi ? 0 : COHO_ENOMEM;
}

static int name_issuers(struct jwks_fetch *f) {
  int err = 0;
  for (size_t i = 0; i < f->count && !err; i++) {
    coho_key_source none = {.issuer = f->feeds[i].issuer};
    err = coho_keys_add(f->keys, &none, NULL, 0);
  }
  return err;
}

/* Signals are for the other threads. */
static int start_thread(struct jwks_fetch *f) {
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  int failed = pthread_create(&f->thread, NULL, run, f);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  return failed ? COHO_ESYSTEM : 0;
}

int jwks_fetch_start(coho_keys *keys, const struct jwks_options *opt, struct jwks_fetch **out) {
  *out = NULL;
  int err = check(opt);
  if (err) return err;
  if (curl_global_init(CURL_GLOBAL_DEFAULT)) return COHO_ESYSTEM;
  struct jwks_fetch *f = (struct jwks_fetch *)calloc(1, sizeof *f);
  if (!f) return COHO_ENOMEM;
  pthread_mutex_init(&f->lock, NULL);
  pthread_cond_init(&f->progress, NULL);
  f->keys = keys;
  f->minute_ms = opt->minute_ms ? opt->minute_ms : MINUTE_MS;
  err = copy(f, opt);
  if (!err) err = name_issuers(f);
  if (!err) coho_keys_on_unknown(keys, on_unknown, f);
  if (!err) err = start_thread(f);
  if (!err) {
    *out = f;
    return 0;
  }
  coho_keys_on_unknown(keys, NULL, NULL);
  free_fetch(f);
  return err;
}

void jwks_fetch_wait(struct jwks_fetch *f) {
  pthread_mutex_lock(&f->lock);
  for (size_t i = 0; i < f->count; i++)
    while (!f->feeds[i].tried)
      pthread_cond_wait(&f->progress, &f->lock);
  pthread_mutex_unlock(&f->lock);
}

bool jwks_fetch_tried(struct jwks_fetch *f) {
  bool tried = true;
  pthread_mutex_lock(&f->lock);
  for (size_t i = 0; i < f->count; i++)
    tried = tried && f->feeds[i].tried;
  pthread_mutex_unlock(&f->lock);
  return tried;
}

void jwks_fetch_again(struct jwks_fetch *f) {
  pthread_mutex_lock(&f->lock);
  for (size_t i = 0; i < f->count; i++)
    f->feeds[i].again = true;
  pthread_mutex_unlock(&f->lock);
  (void)curl_multi_wakeup(f->multi);
}

void jwks_fetch_stop(struct jwks_fetch *f) {
  if (!f) return;
  coho_keys_on_unknown(f->keys, NULL, NULL);
  pthread_mutex_lock(&f->lock);
  f->stopping = true;
  pthread_mutex_unlock(&f->lock);
  (void)curl_multi_wakeup(f->multi);
  (void)pthread_join(f->thread, NULL);
  free_fetch(f);
}
