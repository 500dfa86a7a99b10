#include "support/mixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- answering ------------------------------------------------------------------------------- */

/* Of one that is answered later. */
struct job {
  struct mixture *m;
  coho_request *r;
  coho_timer *timer;
  size_t size, done, turns;
  bool full; /* waits for on_drain */
};

/* Tells where it belongs. */
static char byte_of(size_t size, size_t at) { return (char)('a' + (size + at * 7 + at / 97) % 26); }

static void step(void *arg);

/* Goes on in the next turn, or after some. */
static void step_later(struct job *j) {
  if (dice(&j->m->dice, 4))
    assert_int_equal(coho_loop_post(coho_request_loop(j->r), step, j), 0);
  else
    coho_timer_start(j->timer, dice(&j->m->dice, 3), 0);
}

static void on_drain(coho_request *r, void *ctx) {
  struct job *j = (struct job *)ctx;
  assert_ptr_equal(r, j->r);
  if (!j->full) return;
  j->full = false;
  step_later(j);
}

static void on_gone(coho_request *r, void *ctx) {
  (void)r;
  (void)ctx;
  fail_msg("the peer is there");
}

/* True: all is sent. */
static bool send_parts(struct job *j, size_t parts) {
  struct dice *d = &j->m->dice;
  char data[3000];
  while (parts-- && j->done < j->size) {
    size_t n = 1 + dice(d, dice(d, 4) ? 100 : sizeof data);
    n = n < j->size - j->done ? n : j->size - j->done;
    for (size_t i = 0; i < n; i++)
      data[i] = byte_of(j->size, j->done + i);
    int sent = coho_reply_part(j->r, data, n);
    j->full = sent == COHO_EFULL;
    if (j->full) return false;
    assert_true(sent >= 0);
    j->done += n;
  }
  return j->done == j->size;
}

static void reply_whole(const struct job *j) {
  char *data = (char *)malloc(j->size + 1);
  assert_non_null(data);
  for (size_t i = 0; i < j->size; i++)
    data[i] = byte_of(j->size, i);
  assert_int_equal(coho_reply(j->r, 200, "text/plain", data, j->size), 0);
  free(data);
}

static void step(void *arg) {
  struct job *j = (struct job *)arg;
  if (j->turns) {
    j->turns--;
    step_later(j);
    return;
  }
  if (coho_request_path(j->r)[1] == 'l') {
    reply_whole(j);
  } else if (send_parts(j, 1 + dice(&j->m->dice, 20))) {
    assert_int_equal(coho_reply_end(j->r), 0);
  } else {
    if (!j->full) step_later(j);
    return;
  }
  coho_timer_free(j->timer);
  free(j);
}

static void serve_later(const struct job *from) {
  struct job *j = (struct job *)malloc(sizeof *j);
  assert_non_null(j);
  *j = *from;
  coho_late late = {.on_drain = on_drain, .on_gone = on_gone, .ctx = j};
  assert_int_equal(coho_request_defer(j->r, &late), 0);
  j->timer = coho_timer_new(coho_request_loop(j->r), step, j);
  assert_non_null(j->timer);
  step(j);
}

void mixture_serve(coho_request *r, void *mixture) {
  char kind = coho_request_param(r, "kind")[0];
  const char *size = coho_request_param(r, "size");
  struct job j = {.m = (struct mixture *)mixture, .r = r, .size = strtoul(size, NULL, 10)};
  j.turns = strtoul(coho_request_param(r, "turns"), NULL, 10);
  assert_int_equal(coho_reply_header(r, "Size", size), 0);
  if (kind == 's' || kind == 'p') assert_int_equal(coho_reply_begin(r, 200, "text/plain"), 0);
  if (kind == 's' || kind == 'l') {
    serve_later(&j);
  } else if (kind == 'i') {
    reply_whole(&j);
  } else {
    assert_true(send_parts(&j, SIZE_MAX));
    assert_int_equal(coho_reply_end(r), 0);
  }
}

/* ---- asking ---------------------------------------------------------------------------------- */

void mixture_make(struct mixture *m, uint64_t seed) {
  static const char kinds[] = "ilsp";
  memset(m, 0, sizeof *m);
  m->dice = dice_of(seed);
  struct dice *d = &m->dice;
  for (size_t i = 0; i < MIXTURE_REQUESTS; i++) {
    char kind = m->of[i].kind = kinds[dice(d, 4)];
    /* A HEAD has its answer with the head: it cannot go on for long. */
    m->of[i].head = kind != 's' && dice(d, 8) == 0;
    /* What is sent in one go in parts has to fit the queue. */
    m->of[i].size = dice(d, dice(d, 5) || kind == 'p' ? 300 : 40000);
    size_t body = dice(d, 3) ? 0 : dice(d, 50);
    int n = snprintf(m->text + m->len, sizeof m->text - m->len,
                     "%s /%c/%zu/%u HTTP/1.1\r\nHost: a\r\nContent-Length: %zu\r\n\r\n%.*s",
                     m->of[i].head ? "HEAD" : "POST", kind, m->of[i].size, dice(d, 4), body,
                     (int)body, "GET / HTTP/1.1\r\nHost: not.this\r\n\r\n and it goes on and on");
    m->len += (size_t)n;
    assert_true(m->len < sizeof m->text);
  }
}

/* ---- checking -------------------------------------------------------------------------------- */

/* The answer at the front. */
struct answer {
  const char *at, *end;
  size_t size, done;
};

/* False: they are not all there. */
static bool skip_bytes(struct answer *a, size_t n) {
  assert_true(a->done + n <= a->size);
  if ((size_t)(a->end - a->at) < n) return false;
  for (size_t i = 0; i < n; i++)
    if (a->at[i] != byte_of(a->size, a->done + i)) fail_msg("a byte is wrong");
  a->done += n;
  a->at += n;
  return true;
}

static bool skip_chunks(struct answer *a) {
  for (;;) {
    char *data;
    const char *line = (const char *)memchr(a->at, '\n', (size_t)(a->end - a->at));
    if (!line) return false;
    size_t n = strtoul(a->at, &data, 16);
    assert_ptr_equal(data, line - 1);
    a->at = line + 1;
    if (!skip_bytes(a, n) || a->end - a->at < 2) return false;
    assert_memory_equal(a->at, "\r\n", 2);
    a->at += 2;
    if (!n) return true;
  }
}

static bool has_field(const char *head, const char *end, const char *field) {
  const char *at = strstr(head, field);
  return at && at < end;
}

static bool skip_answer(struct answer *a, char kind, bool head) {
  const char *body = strstr(a->at, "\r\n\r\n");
  char size[40];
  if (!body) return false;
  (void)snprintf(size, sizeof size, "\r\nSize: %zu\r\n", a->size);
  assert_memory_equal(a->at, "HTTP/1.1 200 OK\r\n", 17);
  assert_true(has_field(a->at, body, size));
  bool chunked = has_field(a->at, body, "\r\nTransfer-Encoding: chunked\r\n");
  assert_int_equal(chunked, kind == 's' || kind == 'p');
  a->at = body + 4;
  if (head) return true;
  if (!(chunked ? skip_chunks(a) : skip_bytes(a, a->size))) return false;
  assert_int_equal(a->done, a->size);
  return true;
}

bool mixture_check(struct mixture *m, const char *in, size_t len) {
  while (m->answered < MIXTURE_REQUESTS) {
    struct answer a = {in + m->at, in + len, m->of[m->answered].size, 0};
    if (!skip_answer(&a, m->of[m->answered].kind, m->of[m->answered].head)) return false;
    m->at = (size_t)(a.at - in);
    m->answered++;
  }
  assert_int_equal(m->at, len);
  return true;
}
