/* What the client of topics asks: the history, who is present, and who comes and goes. */
#include "mounted.h"
#include "support/alloc_fail.h"
#include "support/ear.h"

#include <stdio.h>
#include <string.h>

static struct fake_hub hub;
static coho_client *client;
static char said[2048];
static unsigned ends;
static int end_err;
static coho_pos end_pos;
static bool free_client; /* inside the next handler */

static void note(const char *a, const char *b) {
  size_t at = strlen(said);
  (void)snprintf(said + at, sizeof said - at, "%s %s|", a, b);
  if (!free_client) return;
  free_client = false;
  coho_client_free(client);
  client = NULL;
}

static void on_message(void *ctx, coho_pos pos, coho_msg m) {
  char text[64], at[32];
  assert_ptr_equal(ctx, said);
  (void)snprintf(text, sizeof text, "%s%.*s", m.type == COHO_TEXT ? "" : "binary ", (int)m.len,
                 m.data);
  (void)snprintf(at, sizeof at, "%llu", (unsigned long long)pos.offset);
  note(at, text);
}

static void on_member(void *ctx, const char *id, const char *info) {
  assert_ptr_equal(ctx, said);
  note(id, info ? info : "-");
}

static void on_end(void *ctx, int err, coho_pos pos) {
  assert_ptr_equal(ctx, said);
  ends++;
  end_err = err;
  end_pos = pos;
}

static void on_presence(coho_follow *f, coho_pos pos, uint32_t event, const char *id,
                        const char *info) {
  char text[64];
  (void)f;
  assert_true(pos.offset > 0);
  (void)snprintf(text, sizeof text, "%c %s", "?+u-"[event], id);
  note(text, info ? info : "-");
}

static const coho_client_presence_options who = {
    .on_member = on_member, .done = on_end, .ctx = said};

static int ask_history(const char *topic, uint64_t limit) {
  coho_client_history_options opt = {
      .on_message = on_message, .done = on_end, .ctx = said, .limit = limit};
  return coho_client_history(client, topic, &opt);
}

static void heard(const char *expect) {
  assert_string_equal(said, expect);
  said[0] = '\0';
}

static int setup(void **state) {
  (void)state;
  alloc_fail_at(0);
  said[0] = '\0';
  ends = 0;
  free_client = false;
  return 0;
}

static const coho_client_options soon = {.retry = {.first_ms = 1, .most_ms = 8}};

static coho_client *connect_real(void) {
  char url[80];
  coho_client *c;
  (void)snprintf(url, sizeof url, "%s/t/", mounted.w.url);
  assert_int_equal(coho_client_new(mounted.w.loop, url, &soon, &c), 0);
  return c;
}

static void real_open(const coho_topics_options *opt, const coho_topic_options *topic) {
  mounted_open(opt, topic);
  client = connect_real();
}

static void real_close(void) {
  coho_client_free(client);
  mounted_finish();
  alloc_assert_none_live();
}

static void fake_open(const coho_client_options *opt) {
  fake_hub_open(&hub);
  hub.silent = 1000; /* the test answers */
  assert_int_equal(coho_client_new(hub.world.loop, hub.url, opt, &client), 0);
}

static void fake_close(void) {
  coho_client_free(client);
  fake_hub_close(&hub);
  alloc_assert_none_live();
}

/* ---- history -------------------------------------------------------------------------------- */

static void test_history(void **state) {
  static const char bytes[] = {'\x01', '\x02'};
  (void)state;
  real_open(NULL, NULL);
  mounted_publish("r", "one");
  assert_int_equal(coho_publish(mounted.hub, "r", coho_binary(bytes, 2)), 0);
  mounted_publish("r", "three");
  assert_int_equal(ask_history("r", 0), 0);
  assert_int_equal(ends, 0);
  UNTIL(&mounted.w, ends == 1);
  assert_int_equal(end_err, 0);
  assert_int_equal(end_pos.offset, 3);
  heard("1 one|2 binary \x01\x02|3 three|");
  assert_int_equal(ask_history("r", 1), 0);
  assert_int_equal(ask_history("nothing/yet", 1000), 0);
  UNTIL(&mounted.w, ends == 3);
  assert_int_equal(end_err, 0);
  assert_int_equal(end_pos.offset, 0);
  assert_true(end_pos.epoch);
  heard("3 three|");
  /* Nobody has to listen. */
  assert_int_equal(coho_client_history(client, "r", NULL), 0);
  assert_int_equal(coho_client_presence(client, "r", NULL), 0);
  assert_int_equal(ask_history("r", 1), 0);
  UNTIL(&mounted.w, ends == 4);
  real_close();
}

static void test_what_cannot_be_asked(void **state) {
  coho_client_options few = soon;
  (void)state;
  few.max_questions = 2;
  fake_open(&few);
  assert_int_equal(ask_history("r", 1001), COHO_EINVAL);
  assert_int_equal(ask_history("a//b", 0), COHO_EINVAL);
  assert_int_equal(ask_history("a/presence", 0), COHO_EINVAL);
  assert_int_equal(ask_history(NULL, 0), COHO_EINVAL);
  assert_int_equal(coho_client_presence(client, "+", &who), COHO_EINVAL);
  assert_int_equal(ask_history("r", 0), 0);
  assert_int_equal(coho_client_presence(client, "r", &who), 0);
  assert_int_equal(ask_history("r", 0), COHO_EFULL);
  assert_int_equal(coho_client_presence(client, "r", &who), COHO_EFULL);
  assert_int_equal(ends, 0);
  coho_client_free(client);
  client = NULL;
  assert_int_equal(ends, 2);
  assert_int_equal(end_err, COHO_ESTOPPED);
  fake_close();
}

static void test_a_refusal(void **state) {
  static const char *const open[] = {"a", NULL};
  coho_topics_options opt = {.open_subscribe = open};
  (void)state;
  real_open(&opt, NULL);
  assert_int_equal(ask_history("r", 1), 0);
  UNTIL(&mounted.w, ends == 1);
  assert_int_equal(end_err, COHO_EFORBIDDEN);
  assert_int_equal(coho_client_presence(client, "r", &who), 0);
  UNTIL(&mounted.w, ends == 2);
  assert_int_equal(end_err, COHO_EFORBIDDEN);
  heard("");
  real_close();
}

/* ---- presence ------------------------------------------------------------------------------- */

static coho_client *enter(const char *topic, const char *id, const char *info) {
  coho_client *c = connect_real();
  coho_follow_options as = {.as = id, .info = info};
  assert_int_equal(coho_client_follow(c, topic, &as, NULL), 0);
  UNTIL(&mounted.w, coho_presence_list(mounted.hub, topic, NULL, NULL, NULL) == 1);
  return c;
}

static void test_who_is_here_and_who_comes_and_goes(void **state) {
  static const coho_topic_options brief = {.grace_ms = 1};
  char since[COHO_POS_MAX];
  (void)state;
  real_open(NULL, &brief);
  coho_client *ann = enter("r", "ann", "{\"c\":1}");
  assert_int_equal(coho_client_presence(client, "r", &who), 0);
  UNTIL(&mounted.w, ends == 1);
  assert_int_equal(end_err, 0);
  heard("ann {\"c\":1}|");
  coho_follow_options watch = {.on_presence = on_presence,
                               .since = coho_pos_text(end_pos, since, sizeof since)};
  assert_int_equal(coho_client_follow(client, "r", &watch, NULL), COHO_EINVAL);
  assert_int_equal(coho_client_follow(client, "r/presence", &watch, NULL), 0);
  coho_client *bob = connect_real();
  coho_follow_options as = {.as = "bob"};
  assert_int_equal(coho_client_follow(bob, "r", &as, NULL), 0);
  UNTIL(&mounted.w, strstr(said, "bob"));
  coho_client_free(ann);
  UNTIL(&mounted.w, strstr(said, "- ann"));
  heard("+ bob -|- ann -|");
  coho_client_free(bob);
  UNTIL(&mounted.w, said[0]);
  real_close();
}

static void count_member(void *ctx, const char *id, const char *info) {
  unsigned *count = (unsigned *)ctx;
  char expect[16];
  (void)snprintf(expect, sizeof expect, "m%u", (*count)++);
  assert_string_equal(id, expect);
  assert_non_null(info);
}

/* In order, each once, however many answers it takes; information is as costly to read as may be. */
static void test_many_members(void **state) {
  enum { MANY = 250 };
  char info[1024], id[16];
  unsigned count = 0;
  (void)state;
  for (size_t i = 0; i < sizeof info - 2; i++)
    info[i] = i % 2 ? '0' : ',';
  info[0] = '[';
  info[sizeof info - 2] = ']';
  info[sizeof info - 1] = '\0';
  real_open(NULL, NULL);
  for (unsigned i = 0; i < MANY; i++) {
    (void)snprintf(id, sizeof id, "m%u", i);
    assert_int_equal(coho_presence_enter(mounted.hub, "r", id, info), 0);
  }
  coho_client_presence_options all = {.on_member = count_member, .ctx = &count};
  assert_int_equal(coho_client_presence(client, "r", &all), 0);
  UNTIL(&mounted.w, count == MANY);
  real_close();
}

/* Whoever is present comes back with the connection. */
static void test_enters_again_after_a_reconnect(void **state) {
  coho_follow_options as = {.as = "ann", .info = "[1]"};
  (void)state;
  fake_open(&soon);
  assert_int_equal(coho_client_follow(client, "r", &as, NULL), 0);
  for (unsigned i = 1; i <= 2; i++) {
    UNTIL(&hub.world, hub.silent < 1000);
    assert_non_null(strstr(hub.last_sub, "\"as\":{\"id\":\"ann\",\"info\":[1]}"));
    hub.last_sub[0] = '\0';
    hub.silent = 1000;
    fake_hub_kill(&hub, 0);
  }
  fake_close();
}

static void test_events_that_are_none(void **state) {
  static const char *const frames[] = {
      "{\"op\":\"ok\",\"id\":1,\"pos\":\"k.0\"}",
      "{\"topic\":\"r/presence\",\"pos\":\"k.1\",\"data\":\"what\"}",
      "{\"topic\":\"r/"
      "presence\",\"pos\":\"k.2\",\"data\":\"{\\\"event\\\":\\\"x\\\",\\\"id\\\":\\\"a\\\"}\"}",
      "{\"topic\":\"r/presence\",\"pos\":\"k.3\",\"data64\":\"AA==\"}",
      "{\"topic\":\"r/"
      "presence\",\"pos\":\"k.4\",\"data\":\"{\\\"event\\\":\\\"leave\\\",\\\"id\\\":\\\"a\\\"}\"}",
  };
  coho_follow_options watch = {.on_presence = on_presence};
  (void)state;
  fake_open(&soon);
  assert_int_equal(coho_client_follow(client, "r/presence", &watch, NULL), 0);
  UNTIL(&hub.world, hub.silent < 1000);
  for (size_t i = 0; i < sizeof frames / sizeof *frames; i++)
    fake_hub_say_text(&hub, frames[i]);
  UNTIL(&hub.world, said[0]);
  heard("- a -|");
  fake_close();
}

/* ---- hubs that break ------------------------------------------------------------------------ */

static void answer(const char *frame) {
  UNTIL(&hub.world, hub.silent < 1000);
  hub.silent = 1000;
  fake_hub_say_text(&hub, frame);
}

static void test_asked_again_after_a_reconnect(void **state) {
  (void)state;
  fake_open(&soon);
  assert_int_equal(ask_history("r", 5), 0);
  UNTIL(&hub.world, hub.silent < 1000);
  hub.silent = 1000;
  fake_hub_kill(&hub, 0);
  answer("{\"op\":\"history\",\"id\":1,\"topic\":\"r\",\"pos\":\"k.7\",\"messages\":["
         "{\"pos\":\"k.7\",\"data\":\"x\"}]}");
  UNTIL(&hub.world, ends == 1);
  assert_int_equal(end_err, 0);
  heard("7 x|");
  assert_int_equal(hub.opens, 2);
  fake_close();
}

/* Closed with 1007, and asked again. */
static void test_answers_that_are_none(void **state) {
  static const char *const wrong[] = {
      "{\"op\":\"ok\",\"id\":1}",
      "{\"op\":\"presence\",\"id\":1,\"pos\":\"k.1\",\"members\":[]}",
      "{\"op\":\"history\",\"id\":1,\"pos\":\"k.1\",\"messages\":[{\"pos\":\"k.1\"}]}",
  };
  (void)state;
  fake_open(&soon);
  assert_int_equal(ask_history("r", 5), 0);
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
    answer(wrong[i]);
    UNTIL(&hub.world, hub.last_code == 1007);
    hub.last_code = 0;
  }
  answer("{\"op\":\"error\",\"id\":1,\"code\":\"unavailable\",\"text\":\"no\"}");
  UNTIL(&hub.world, ends == 1);
  assert_int_equal(end_err, COHO_EUNAVAILABLE);
  heard("");
  /* A list that answers something else. */
  assert_int_equal(coho_client_follow(client, "r", NULL, NULL), 0);
  answer("{\"op\":\"history\",\"id\":2,\"pos\":\"k.1\",\"messages\":[]}");
  UNTIL(&hub.world, hub.last_code == 1007);
  fake_close();
}

static void test_pages_of_members(void **state) {
  (void)state;
  fake_open(&soon);
  assert_int_equal(coho_client_presence(client, "r", &who), 0);
  answer("{\"op\":\"presence\",\"id\":1,\"pos\":\"k.5\",\"members\":[{\"id\":\"a\"}],\"next\":3}");
  UNTIL(&hub.world, hub.silent < 1000);
  hub.silent = 1000;
  fake_hub_kill(&hub, 0); /* the second page is asked for again, by the same id */
  answer("{\"op\":\"presence\",\"id\":2,\"pos\":\"k.6\",\"members\":[{\"id\":\"b\"}],\"next\":4}");
  answer("{\"op\":\"presence\",\"id\":3,\"pos\":\"k.7\",\"members\":[]}");
  UNTIL(&hub.world, ends == 1);
  assert_int_equal(end_err, 0);
  assert_int_equal(end_pos.offset, 5); /* of the first page: what came since is told behind it */
  heard("a -|b -|");
  fake_close();
}

static void test_pages_that_lead_nowhere(void **state) {
  (void)state;
  fake_open(&soon);
  assert_int_equal(coho_client_presence(client, "r", &who), 0);
  answer("{\"op\":\"presence\",\"id\":1,\"pos\":\"k.5\",\"members\":[],\"next\":3}");
  answer("{\"op\":\"presence\",\"id\":2,\"pos\":\"k.5\",\"members\":[],\"next\":3}");
  UNTIL(&hub.world, hub.last_code == 1007);
  answer("{\"op\":\"presence\",\"id\":2,\"pos\":\"m.5\",\"members\":[{\"id\":\"a\"}]}");
  UNTIL(&hub.world, ends == 1);
  assert_int_equal(end_err, COHO_EUNAVAILABLE);
  heard("");
  fake_close();
}

static void test_times_out(void **state) {
  coho_client_options brief = soon;
  (void)state;
  brief.question_timeout_ms = 1;
  fake_open(&brief);
  assert_int_equal(ask_history("r", 5), 0);
  assert_int_equal(coho_client_presence(client, "r", &who), 0);
  UNTIL(&hub.world, ends == 2);
  assert_int_equal(end_err, COHO_ETIMEDOUT);
  /* An answer that comes too late is nothing. */
  UNTIL(&hub.world, fake_hub_connected(&hub));
  fake_hub_say_text(&hub, "{\"op\":\"history\",\"id\":1,\"pos\":\"k.1\",\"messages\":[]}");
  brief.question_timeout_ms = 0;
  coho_client_free(client);
  assert_int_equal(coho_client_new(hub.world.loop, hub.url, &brief, &client), 0);
  assert_int_equal(ask_history("r", 5), 0);
  UNTIL(&hub.world, hub.silent < 1000);
  assert_int_equal(ends, 2);
  fake_close();
  assert_int_equal(ends, 3);
}

static void test_ends_with_the_client(void **state) {
  (void)state;
  fake_open(&soon);
  assert_int_equal(ask_history("r", 5), 0);
  UNTIL(&hub.world, hub.silent < 1000);
  fake_hub_kill(&hub, 4403);
  UNTIL(&hub.world, ends == 1);
  assert_int_equal(coho_client_status(client), COHO_CLIENT_CLOSED);
  assert_int_equal(end_err, COHO_ECLOSED);
  assert_int_equal(ask_history("r", 5), COHO_ECLOSED);
  assert_int_equal(coho_client_presence(client, "r", &who), COHO_ECLOSED);
  fake_close();
}

static void test_freed_inside_a_handler(void **state) {
  static const char *const answers[] = {
      "{\"op\":\"history\",\"id\":1,\"pos\":\"k.2\",\"messages\":["
      "{\"pos\":\"k.1\",\"data\":\"x\"},{\"pos\":\"k.2\",\"data\":\"y\"}]}",
      "{\"op\":\"presence\",\"id\":1,\"pos\":\"k.2\",\"members\":[{\"id\":\"1\"},{\"id\":\"2\"}]}"};
  (void)state;
  for (size_t i = 0; i < 2; i++) {
    (void)setup(NULL);
    fake_open(&soon);
    assert_int_equal(i ? coho_client_presence(client, "r", &who) : ask_history("r", 0), 0);
    free_client = true;
    answer(answers[i]);
    UNTIL(&hub.world, ends == 1);
    heard(i ? "1 -|" : "1 x|");
    assert_int_equal(end_err, COHO_ESTOPPED);
    fake_close();
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(test_history, setup),
      cmocka_unit_test_setup(test_what_cannot_be_asked, setup),
      cmocka_unit_test_setup(test_a_refusal, setup),
      cmocka_unit_test_setup(test_who_is_here_and_who_comes_and_goes, setup),
      cmocka_unit_test_setup(test_many_members, setup),
      cmocka_unit_test_setup(test_enters_again_after_a_reconnect, setup),
      cmocka_unit_test_setup(test_events_that_are_none, setup),
      cmocka_unit_test_setup(test_asked_again_after_a_reconnect, setup),
      cmocka_unit_test_setup(test_answers_that_are_none, setup),
      cmocka_unit_test_setup(test_pages_of_members, setup),
      cmocka_unit_test_setup(test_pages_that_lead_nowhere, setup),
      cmocka_unit_test_setup(test_times_out, setup),
      cmocka_unit_test_setup(test_ends_with_the_client, setup),
      cmocka_unit_test_setup(test_freed_inside_a_handler, setup),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
