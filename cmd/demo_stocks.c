/*
 * /stocks: a dozen made-up symbols whose prices move; a client says which it wants to follow. One
 * topic per symbol.
 */
#include "demo.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/random.h"

#include <math.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TICK_MS = 200, MOVES_PER_TICK = 4, REQUEST_MAX_BYTES = 4096, TOPIC_BYTES = 32 };

struct stock {
  const char *symbol, *name;
  double open, price;
};

static struct stock stocks[] = {
    {"COHO", "Coho Salmon", 120.00, 120.00},   {"KETA", "Keta Caviar", 64.50, 64.50},
    {"SOCK", "Sockeye Red", 88.20, 88.20},     {"PINK", "Pink Humpback", 31.75, 31.75},
    {"KING", "King Chinook", 240.10, 240.10},  {"STEL", "Steelhead Works", 152.40, 152.40},
    {"RIVR", "River Logistics", 47.30, 47.30}, {"REDD", "Redd Nurseries", 18.90, 18.90},
    {"SMLT", "Smolt Ventures", 9.85, 9.85},    {"ALVN", "Alevin Labs", 76.60, 76.60},
    {"KYPE", "Kype Robotics", 205.00, 205.00}, {"UPST", "Upstream Power", 55.15, 55.15},
};

static coho_hub *hub;
static coho_timer *timer;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* over prices */

static const char *topic_of(const struct stock *s, char topic[TOPIC_BYTES]) {
  snprintf(topic, TOPIC_BYTES, "stock:%s", s->symbol);
  return topic;
}

static struct stock *find(const char *symbol, size_t len) {
  for (size_t i = 0; i < COHO_COUNT(stocks); i++)
    if (strlen(stocks[i].symbol) == len && !memcmp(stocks[i].symbol, symbol, len))
      return &stocks[i];
  return NULL;
}

static double cents(double price) { return round(price * 100) / 100; }

/* ---- the market ---------------------------------------------------------------------------- */

/* A random step of at most 0.8 percent, pulled a little towards the opening price. */
static void move(struct stock *s) {
  double step = ((double)coho__random_below(2001) - 1000) / 1000 * 0.008;
  double pull = (s->open - s->price) / s->open * 0.01;
  s->price = fmax(0.01, cents(s->price * (1 + step + pull)));
}

static void tick(void *arg) {
  (void)arg;
  for (int i = 0; i < MOVES_PER_TICK; i++) {
    struct stock *s = &stocks[coho__random_below(COHO_COUNT(stocks))];
    pthread_mutex_lock(&lock);
    move(s);
    double price = s->price;
    pthread_mutex_unlock(&lock);
    char topic[TOPIC_BYTES];
    demo_publish_json(hub, topic_of(s, topic),
                      json_pack("{s:s, s:s, s:f, s:I}", "type", "price", "symbol", s->symbol,
                                "price", price, "time", (json_int_t)coho__clock_wall_ms()));
  }
}

/* ---- a client's subscriptions: a set of bits in the connection's pointer ------------------- */

static uintptr_t followed(coho_conn *c) { return (uintptr_t)coho_conn_user(c); }

static void follow(coho_conn *c, const struct stock *s, bool on) {
  uintptr_t bit = (uintptr_t)1 << (s - stocks);
  if (((followed(c) & bit) != 0) == on) return;
  char topic[TOPIC_BYTES];
  int err = on ? coho_subscribe(hub, c, topic_of(s, topic))
               : coho_unsubscribe(hub, c, topic_of(s, topic));
  if (err) return;
  /* A number in a pointer's clothes; it is never followed. */
  uintptr_t set = followed(c) ^ bit;
  void *user;
  memcpy(&user, &set, sizeof user);
  coho_conn_set_user(c, user);
}

static void send_symbols(coho_conn *c) {
  json_t *list = json_array();
  pthread_mutex_lock(&lock);
  for (size_t i = 0; i < COHO_COUNT(stocks); i++)
    json_array_append_new(list, json_pack("{s:s, s:s, s:f, s:f}", "symbol", stocks[i].symbol,
                                          "name", stocks[i].name, "price", stocks[i].price, "open",
                                          stocks[i].open));
  pthread_mutex_unlock(&lock);
  demo_send_json(c, json_pack("{s:s, s:o}", "type", "symbols", "symbols", list));
}

static void send_subscribed(coho_conn *c) {
  json_t *list = json_array();
  for (size_t i = 0; i < COHO_COUNT(stocks); i++)
    if (followed(c) >> i & 1) json_array_append_new(list, json_string(stocks[i].symbol));
  demo_send_json(c, json_pack("{s:s, s:o}", "type", "subscribed", "symbols", list));
}

static void send_error(coho_conn *c, const char *what, const char *detail) {
  char text[128];
  snprintf(text, sizeof text, "%s%.60s", what, detail);
  json_t *e = json_pack("{s:s, s:s}", "type", "error", "error", text);
  /* A symbol cut inside a character is no JSON string: then without it. */
  if (!e) e = json_pack("{s:s, s:s}", "type", "error", "error", what);
  demo_send_json(c, e);
}

/* ---- handlers ------------------------------------------------------------------------------ */

static void on_open(coho_conn *c) {
  send_symbols(c);
  const char *wanted = coho_request_query(coho_conn_request(c), "symbols");
  if (!wanted) return;
  while (*wanted) {
    size_t len = strcspn(wanted, ",");
    const struct stock *s = find(wanted, len);
    if (s) follow(c, s, true);
    wanted += len + (wanted[len] == ',');
  }
  send_subscribed(c);
}

static void follow_all(coho_conn *c, json_t *list, bool on) {
  size_t i;
  json_t *item;
  json_array_foreach(list, i, item) {
    const char *symbol = json_string_value(item);
    const struct stock *s = symbol ? find(symbol, json_string_length(item)) : NULL;
    if (s)
      follow(c, s, on);
    else
      send_error(c, "unknown symbol: ", symbol ? symbol : "(not a string)");
  }
}

static void on_message(coho_conn *c, coho_msg m) {
  json_error_t why;
  json_t *request = json_loadb(m.data ? m.data : "", m.len, JSON_REJECT_DUPLICATES, &why);
  json_t *on = json_object_get(request, "subscribe");
  json_t *off = json_object_get(request, "unsubscribe");
  if (json_is_array(on) || json_is_array(off)) {
    follow_all(c, on, true);
    follow_all(c, off, false);
    send_subscribed(c);
  } else {
    send_error(c, "send {\"subscribe\":[\"COHO\"]} or {\"unsubscribe\":[\"COHO\"]}", "");
  }
  json_decref(request);
}

int demo_stocks_start(const struct demo_options *opt, coho_hub *h) {
  hub = h;
  coho_options o = *opt->base;
  o.on_open = on_open;
  o.on_message = on_message;
  o.max_message = REQUEST_MAX_BYTES;
  int err = coho_route_ws(opt->server, "/stocks", &o);
  if (err) return err;
  timer = coho_timer_new(coho_server_loop(opt->server, 0), tick, NULL);
  if (!timer) return COHO_ENOMEM;
  coho_timer_start(timer, TICK_MS, TICK_MS);
  return 0;
}

void demo_stocks_stop(void) {
  coho_timer_free(timer);
  timer = NULL;
}
