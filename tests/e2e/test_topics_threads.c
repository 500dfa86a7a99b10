/* Topics over HTTP on several loops, published to by several threads: every view is whole and in order. */
#include "support/web.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

enum { STREAMS = 6, PUBLISHERS = 3, EACH = 200, ALL = PUBLISHERS * EACH };

static struct web web;
static struct web_client clients[STREAMS];

static void *publish(void *topic) {
  for (int i = 0; i < EACH; i++)
    if (coho_publish(web.hub, (const char *)topic, coho_text("hello"))) return topic;
  return NULL;
}

static void start(pthread_t *threads, char *topic) {
  for (int i = 0; i < PUBLISHERS; i++)
    assert_int_equal(pthread_create(&threads[i], NULL, publish, topic), 0);
}

static void join(const pthread_t *threads) {
  for (int i = 0; i < PUBLISHERS; i++) {
    void *failed;
    assert_int_equal(pthread_join(threads[i], &failed), 0);
    assert_null(failed);
  }
}

static void open_streams(const char *target) {
  for (int i = 0; i < STREAMS; i++) {
    web_connect(&clients[i], &web);
    web_get(&clients[i], "Accept: text/event-stream\r\n", "%s", target);
    assert_int_equal(web_begin(&clients[i]), 200);
    assert_non_null(web_event(&clients[i]));
  }
}

static void test_streams(void **state) {
  (void)state;
  char room[] = "room", expected[64];
  pthread_t threads[PUBLISHERS];
  web_open_with(&web, NULL, NULL, &(coho_server_options){.threads = 3});
  open_streams("/t/room");
  start(threads, room);
  for (int i = 0; i < STREAMS; i++) {
    for (int n = 1; n <= ALL; n++) {
      snprintf(expected, sizeof expected, "id: E.%d\ndata: hello", n);
      assert_string_equal(web_event(&clients[i]), expected);
    }
    web_part(&clients[i]);
  }
  join(threads);
  web_close(&web);
}

/* Offsets of an answer, which follow `next`; returns the one behind them. */
static unsigned check_answer(const char *body, unsigned next) {
  char expected[64];
  for (;; next++) {
    snprintf(expected, sizeof expected, "{\"pos\":\"E.%u\",", next);
    const char *at = strstr(body, expected);
    if (!at) return next;
    assert_true(at == body + 13 || at[-1] == ',');
  }
}

static void test_polls(void **state) {
  (void)state;
  char room[] = "room";
  pthread_t threads[PUBLISHERS];
  web_open_with(&web, NULL, NULL, &(coho_server_options){.threads = 3});
  web_connect(&clients[0], &web);
  start(threads, room);
  for (unsigned next = 1; next <= ALL;) {
    web_get(&clients[0], "", "/t/room?since=%s&wait=60", web_pos(&web, next - 1));
    assert_int_equal(web_answer(&clients[0]), 200);
    assert_null(strstr(clients[0].body, "gap"));
    unsigned now = check_answer(clients[0].body, next);
    assert_true(now > next);
    next = now;
  }
  web_part(&clients[0]);
  join(threads);
  web_close(&web);
}

/* Who waits for room is told by the loop of the subscriber. */
static void test_posts_to_a_topic_that_blocks(void **state) {
  (void)state;
  enum { ROUNDS = 40 };
  char expected[64];
  coho_topic_options to = {.slow = COHO_SLOW_BLOCK, .history_count = 2, .block_ms = UINT32_MAX};
  web_open_with(&web, NULL, &to, &(coho_server_options){.threads = 3});
  open_streams("/t/room");
  static struct web_client posts[STREAMS];
  for (int i = 0; i < STREAMS; i++)
    web_connect(&posts[i], &web);
  for (int n = 0; n < ROUNDS; n++)
    for (int i = 0; i < STREAMS; i++)
      web_post(&posts[i], "/t/room", "", "x", 1);
  for (int i = 0; i < STREAMS; i++) {
    for (int n = 0; n < ROUNDS; n++)
      assert_int_equal(web_answer(&posts[i]), 200);
    web_part(&posts[i]);
  }
  for (int i = 0; i < STREAMS; i++) {
    for (int n = 1; n <= ROUNDS * STREAMS; n++) {
      snprintf(expected, sizeof expected, "id: E.%d\ndata: x", n);
      assert_string_equal(web_event(&clients[i]), expected);
    }
    web_part(&clients[i]);
  }
  web_close(&web);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_streams), cmocka_unit_test(test_polls),
                                     cmocka_unit_test(test_posts_to_a_topic_that_blocks)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
