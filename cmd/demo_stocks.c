/*
 * Topics of a made-up market: "stocks/COHO" and so on have the price of one company, of which only the
 * latest counts; "ticks" has every change of all, and keeps only the last few, so that who is slow can
 * see what that means.
 */
#include "demo.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/random.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
  TICK_MS = 200,
  MOVES_PER_TICK = 4,
  INTERVAL_MS = 250, /* a price changes at most so often on a page */
  TICKS_KEPT = 40,   /* two seconds of them */
  TOPIC_BYTES = 32
};

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

static double cents(double price) { return round(price * 100) / 100; }

/* A random step of at most 0.8 percent, pulled a little towards the opening price. */
static void move(struct stock *s) {
  double step = ((double)coho__random_below(2001) - 1000) / 1000 * 0.008;
  double pull = (s->open - s->price) / s->open * 0.01;
  s->price = fmax(0.01, cents(s->price * (1 + step + pull)));
}

static json_t *json_of(const struct stock *s) {
  return json_pack("{s:s, s:s, s:f, s:f, s:I}", "symbol", s->symbol, "name", s->name, "price",
                   s->price, "open", s->open, "time", (json_int_t)coho__clock_wall_ms());
}

static void tell(const struct stock *s) {
  char topic[TOPIC_BYTES];
  snprintf(topic, sizeof topic, "stocks/%s", s->symbol);
  demo_publish_json(hub, topic, json_of(s));
  demo_publish_json(hub, "ticks", json_of(s));
}

static void tick(void *arg) {
  (void)arg;
  for (int i = 0; i < MOVES_PER_TICK; i++) {
    struct stock *s = &stocks[coho__random_below(COHO_COUNT(stocks))];
    move(s);
    tell(s);
  }
}

/* Which companies there are, for who comes at any time. */
static void tell_list(void) {
  json_t *list = json_array();
  for (size_t i = 0; i < COHO_COUNT(stocks); i++)
    json_array_append_new(list, json_pack("{s:s, s:s, s:f}", "symbol", stocks[i].symbol, "name",
                                          stocks[i].name, "open", stocks[i].open));
  demo_publish_json(hub, "stocks", list);
}

int demo_stocks_rules(coho_hub *h) {
  coho_topic_options one = {.slow = COHO_SLOW_CONFLATE,
                            .interval_ms = INTERVAL_MS,
                            .history_count = 1,
                            .history_age_ms = UINT32_MAX};
  coho_topic_options list = {.history_count = 1, .history_age_ms = UINT32_MAX};
  coho_topic_options all = {.history_count = TICKS_KEPT};
  int err = coho_hub_configure(h, "stocks/+", &one);
  if (!err) err = coho_hub_configure(h, "stocks", &list);
  return err ? err : coho_hub_configure(h, "ticks", &all);
}

int demo_stocks_start(const struct demo_options *opt, coho_hub *h) {
  hub = h;
  timer = coho_timer_new(coho_server_loop(opt->server, 0), tick, NULL);
  if (!timer) return COHO_ENOMEM;
  coho_timer_start(timer, TICK_MS, TICK_MS);
  tell_list();
  for (size_t i = 0; i < COHO_COUNT(stocks); i++)
    tell(&stocks[i]);
  return 0;
}

void demo_stocks_stop(void) {
  coho_timer_free(timer);
  timer = NULL;
}
