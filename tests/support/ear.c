#include "support/ear.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void __attribute__((format(printf, 2, 3))) note(struct ear *e, const char *format, ...) {
  va_list args;
  size_t at = strlen(e->heard);
  if (at && at + 3 < sizeof e->heard) at += (size_t)snprintf(e->heard + at, 4, " | ");
  va_start(args, format);
  (void)vsnprintf(e->heard + at, sizeof e->heard - at, format, args);
  va_end(args);
}

static struct ear *ear_of(const coho_follow *f) { return (struct ear *)coho_follow_user(f); }

static void on_message(coho_follow *f, coho_pos pos, coho_msg m) {
  struct ear *e = ear_of(f);
  e->messages++;
  note(e, "%llu %s%.*s", (unsigned long long)pos.offset, m.type == COHO_TEXT ? "" : "binary ",
       (int)m.len, m.data);
  if (e->on_message) e->on_message(e, f, pos, m);
}

static void on_gap(coho_follow *f, uint64_t lost, coho_pos pos) {
  struct ear *e = ear_of(f);
  e->gaps++;
  if (lost == COHO_LOST_UNKNOWN)
    note(e, "gap ? %llu", (unsigned long long)pos.offset);
  else
    note(e, "gap %llu %llu", (unsigned long long)lost, (unsigned long long)pos.offset);
  if (e->on_gap) e->on_gap(e, f, lost, pos);
}

static void on_start(coho_follow *f) {
  struct ear *e = ear_of(f);
  coho_pos pos;
  assert_int_equal(coho_follow_pos(f, &pos), 0);
  note(e, "start %llu", (unsigned long long)pos.offset);
  if (e->on_start) e->on_start(e, f);
}

static void on_error(coho_follow *f, int err, const char *text) {
  struct ear *e = ear_of(f);
  note(e, "refused %s %s", coho_errname(err), text);
  if (e->on_error) e->on_error(e, f, err);
}

static void on_state(coho_client *c, uint32_t state, const coho_ending *how) {
  struct ear *e = (struct ear *)coho_client_user(c);
  size_t n = strlen(e->states);
  assert_int_equal(coho_client_status(c), state);
  if (n + 1 < sizeof e->states) e->states[n] = "?cowx"[state];
  assert_int_equal(how != NULL, state == COHO_CLIENT_WAITING || state == COHO_CLIENT_CLOSED);
  if (how) e->ending = *how;
  if (how) e->ending.reason = e->ending.detail = "";
  if (state == COHO_CLIENT_WAITING) e->wait_ms = coho_client_wait_ms(c);
  if (e->on_state) e->on_state(e, state);
}

static void on_token(coho_client *c, uint32_t seconds) {
  struct ear *e = (struct ear *)coho_client_user(c);
  size_t n = strlen(e->states);
  if (n + 1 < sizeof e->states) e->states[n] = 't';
  e->token_in = seconds;
  if (e->on_token) e->on_token(e);
}

static void published(void *ctx, int err, coho_pos pos) {
  struct ear *e = (struct ear *)ctx;
  e->done++;
  e->failed += err != 0;
  e->err = err;
  e->pos = pos;
  if (e->on_done) e->on_done(e, err);
}

coho_client_options ear_options(struct ear *e) {
  return (coho_client_options){.on_state = on_state, .on_token = on_token, .user = e};
}

coho_follow_options ear_follow_options(struct ear *e) {
  return (coho_follow_options){.on_message = on_message,
                               .on_gap = on_gap,
                               .on_start = on_start,
                               .on_error = on_error,
                               .user = e};
}

void ear_connect(struct ear *e, struct fake_hub *h, const coho_client_options *opt) {
  coho_client_options set = opt ? *opt : ear_options(e);
  if (!set.retry.first_ms) set.retry = (coho_retry){.first_ms = 1, .most_ms = 8, .attempts = 0};
  assert_int_equal(coho_client_new(h->world.loop, h->url, &set, &e->client), 0);
}

void ear_follow(struct ear *e, const char *topic, const char *since) {
  coho_follow_options set = ear_follow_options(e);
  set.since = since;
  assert_int_equal(coho_client_follow(e->client, topic, &set, &e->follow), 0);
}

coho_client_publish_options ear_publish_options(struct ear *e) {
  return (coho_client_publish_options){.done = published, .ctx = e};
}

int ear_publish_msg(struct ear *e, const char *topic, coho_msg m) {
  coho_client_publish_options set = ear_publish_options(e);
  return coho_client_publish(e->client, topic, m, &set);
}

int ear_publish(struct ear *e, const char *topic, const char *text) {
  return ear_publish_msg(e, topic, coho_text(text));
}
