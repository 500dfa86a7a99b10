/* The client of topics against a hub that does what it should: following, resuming, publishing. */
#include "followed.h"
#include "support/text.h"

#include <coho/tls.h>
#include <string.h>

static struct world *const w = &fake.world;

static void publish_numbers(const char *topic, int from, int to) {
  for (int i = from; i <= to; i++)
    fake_hub_publish(&fake, topic, text_of("n%d", i));
}

/* ---- following ------------------------------------------------------------------------------ */

static void test_live(void **state) {
  (void)state;
  publish_numbers("room/tea", 1, 3);
  ear_connect(&ear, &fake, NULL);
  assert_int_equal(coho_client_status(ear.client), COHO_CLIENT_CONNECTING);
  ear_follow(&ear, "room/tea", NULL);
  UNTIL(w, fake.subs == 1 && ear.heard[0]);
  publish_numbers("room/tea", 4, 5);
  UNTIL(w, ear.messages == 2);
  followed_heard("start 3 | 4 n4 | 5 n5");
  assert_string_equal(ear.states, "o");
  assert_string_equal(coho_follow_topic(ear.follow), "room/tea");
  assert_ptr_equal(coho_follow_client(ear.follow), ear.client);
  assert_ptr_equal(coho_client_find(ear.client, "room/tea"), ear.follow);
}

/* Nine messages of which so many are held, followed since this: the last two come as this says. */
static void check_since(size_t held, const char *since, const char *what) {
  publish_numbers("a", 1, 9);
  fake_hub_trim(&fake, "a", held);
  ear_connect(&ear, &fake, NULL);
  ear_follow(&ear, "a", since);
  UNTIL(w, ear.messages == 2);
  followed_heard(what);
}

static void test_all_that_is_held(void **state) {
  (void)state;
  check_since(2, "0", "start 7 | 8 n8 | 9 n9");
}

static void test_since(void **state) {
  (void)state;
  check_since(9, "k3f9.7", "start 7 | 8 n8 | 9 n9");
}

static void test_gap_with_its_number(void **state) {
  (void)state;
  check_since(2, "k3f9.3", "start 3 | gap 4 7 | 8 n8 | 9 n9");
}

static void test_gap_of_another_epoch_and_of_the_future(void **state) {
  (void)state;
  publish_numbers("a", 1, 2);
  ear_connect(&ear, &fake, NULL);
  ear_follow(&ear, "a", "zz.3");
  UNTIL(w, ear.messages == 2);
  followed_heard("start 3 | gap ? 0 | 1 n1 | 2 n2");
  coho_client_unfollow(ear.follow);
  ear.heard[0] = '\0';
  ear_follow(&ear, "a", "k3f9.99");
  UNTIL(w, ear.messages == 4);
  followed_heard("start 99 | gap ? 0 | 1 n1 | 2 n2");
  assert_int_equal(fake.unsubs, 1);
}

static void test_binary_and_odd_texts(void **state) {
  static const char odd[] = "q\" b\\ n\n r\r t\t \x01 \x00 \xc3\xb6 \xf0\x9f\x8d\xb5";
  static const unsigned char bytes[] = {0, 255, 128, 10};
  (void)state;
  ear_connect(&ear, &fake, NULL);
  ear_follow(&ear, "a", NULL);
  assert_int_equal(ear_publish_msg(&ear, "a", coho_text_n(odd, sizeof odd - 1)), 0);
  assert_int_equal(ear_publish_msg(&ear, "a", coho_binary(bytes, sizeof bytes)), 0);
  assert_int_equal(coho_client_publish(ear.client, "a", coho_binary(NULL, 0), NULL), 0);
  UNTIL(w, ear.messages == 3 && !coho_client_queued(ear.client));
  const struct fake_message *m = fake.topics[0]->held;
  assert_int_equal(m[0].len, sizeof odd - 1);
  assert_memory_equal(m[0].text, odd, sizeof odd - 1);
  assert_true(m[1].binary);
  assert_memory_equal(m[1].text, bytes, sizeof bytes);
  assert_int_equal(m[2].len, 0);
  assert_non_null(strstr(ear.heard, "2 binary "));
}

static void test_several_topics(void **state) {
  (void)state;
  ear_connect(&ear, &fake, NULL);
  ear_follow(&ear, "a", NULL);
  ear_follow(&ear, "b", NULL);
  ear_follow(&ear, "a/presence", NULL);
  UNTIL(w, fake.subs == 3);
  fake_hub_publish(&fake, "b", "to b");
  fake_hub_publish(&fake, "a", "to a");
  UNTIL(w, ear.messages == 2);
  coho_client_unfollow(coho_client_find(ear.client, "b"));
  assert_null(coho_client_find(ear.client, "b"));
  fake_hub_publish(&fake, "b", "again");
  fake_hub_publish(&fake, "a", "again");
  UNTIL(w, ear.messages == 3 && fake.unsubs == 1);
  fake_hub_publish(&fake, "b", "nobody listens");
  fake_hub_publish(&fake, "a", "last");
  UNTIL(w, ear.messages == 4);
  followed_heard("start 0 | start 0 | start 0 | 1 to b | 1 to a | 2 again | 3 last");
}

static void test_presence_is_asked_for(void **state) {
  (void)state;
  ear_connect(&ear, &fake, NULL);
  coho_follow_options set = ear_follow_options(&ear);
  set.as = "ann \"\xc3\xb6\"";
  set.info = "{\"color\":[\"red\"]}";
  assert_int_equal(coho_client_follow(ear.client, "a", &set, NULL), 0);
  UNTIL(w, fake.subs == 1);
  assert_non_null(strstr(
      fake.last_sub, "\"as\":{\"id\":\"ann \\\"\xc3\xb6\\\"\",\"info\":{\"color\":[\"red\"]}}"));
}

static void test_what_cannot_be_followed(void **state) {
  static const char *const names[] = {"",
                                      "/a",
                                      "a//b",
                                      "a/..",
                                      "a b",
                                      "+",
                                      "#",
                                      "history",
                                      "presence",
                                      "/presence",
                                      "a/presence/presence"};
  static const char *const since[] = {"", "1", "k3f9", "k3f9.", ".1", "k3f9.01", "K.1", "k3f9.-1"};
  (void)state;
  ear_connect(&ear, &fake, NULL);
  coho_follow_options set = ear_follow_options(&ear);
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    assert_int_equal(coho_client_follow(ear.client, names[i], &set, NULL), COHO_EINVAL);
  for (size_t i = 0; i < sizeof since / sizeof *since; i++) {
    set.since = since[i];
    assert_int_equal(coho_client_follow(ear.client, "a", &set, NULL), COHO_EPOSITION);
  }
  set.since = NULL;
  set.info = "{}"; /* of nobody */
  assert_int_equal(coho_client_follow(ear.client, "a", &set, NULL), COHO_EINVAL);
  set.as = "ann";
  set.info = "{";
  assert_int_equal(coho_client_follow(ear.client, "a", &set, NULL), COHO_EINVAL);
  set.as = "\xff";
  set.info = NULL;
  assert_int_equal(coho_client_follow(ear.client, "a", &set, NULL), COHO_EINVAL);
  assert_int_equal(coho_client_follow(ear.client, "a", NULL, NULL), 0);
  assert_int_equal(coho_client_follow(ear.client, "a", NULL, NULL), COHO_EEXISTS);
}

static void test_a_limit_of_topics(void **state) {
  (void)state;
  coho_client_options opt = ear_options(&ear);
  opt.max_follows = 2;
  ear_connect(&ear, &fake, &opt);
  ear_follow(&ear, "a", NULL);
  ear_follow(&ear, "b", NULL);
  assert_int_equal(coho_client_follow(ear.client, "c", NULL, NULL), COHO_EFULL);
  UNTIL(w, fake.subs == 2 && strchr(ear.heard, '|'));
  coho_client_unfollow(ear.follow);
  UNTIL(w, coho_client_follow(ear.client, "c", NULL, NULL) == 0); /* once the hub let go of b */
}

/* ---- coming back ---------------------------------------------------------------------------- */

static void test_goes_on_where_it_was(void **state) {
  (void)state;
  followed_open(NULL);
  publish_numbers("a", 1, 2);
  UNTIL(w, ear.messages == 2);
  fake_hub_kill(&fake, 0);
  publish_numbers("a", 3, 4);
  UNTIL(w, ear.messages == 4);
  followed_heard("start 0 | 1 n1 | 2 n2 | start 2 | 3 n3 | 4 n4");
  assert_string_equal(ear.states, "owco");
  assert_true(ear.ending.err == COHO_ECONNRESET || ear.ending.err == COHO_EABNORMAL);
}

static void test_a_hole_that_came_meanwhile(void **state) {
  (void)state;
  followed_open(NULL);
  fake_hub_kill(&fake, 1001);
  publish_numbers("a", 1, 9);
  fake_hub_trim(&fake, "a", 1);
  UNTIL(w, ear.messages == 1);
  followed_heard("start 0 | start 0 | gap 8 8 | 9 n9");
}

static void test_restart_of_the_hub(void **state) {
  (void)state;
  followed_open(NULL);
  publish_numbers("a", 1, 2);
  UNTIL(w, ear.messages == 2);
  fake_hub_restart(&fake);
  publish_numbers("a", 7, 7);
  UNTIL(w, ear.messages == 3);
  followed_heard("start 0 | 1 n1 | 2 n2 | start 2 | gap ? 0 | 1 n7");
  coho_pos pos;
  char text[COHO_POS_MAX];
  assert_int_equal(coho_follow_pos(ear.follow, &pos), 0);
  assert_string_equal(coho_pos_text(pos, text, sizeof text), "l3f9.1");
}

static void test_nobody_there_at_first(void **state) {
  (void)state;
  fake_hub_refuse(&fake, 3, 502);
  followed_open(NULL);
  assert_string_equal(ear.states, "wcwcwco");
  assert_int_equal(ear.ending.err, COHO_ESTATUS);
  assert_int_equal(ear.ending.status, 502);
}

static void test_follows_and_leaves_while_away(void **state) {
  (void)state;
  ear_connect(&ear, &fake, NULL);
  ear_follow(&ear, "a", NULL);
  ear_follow(&ear, "b", NULL);
  UNTIL(w, strchr(ear.heard, '|'));
  fake_hub_kill(&fake, 0);
  UNTIL(w, strchr(ear.states, 'w'));
  coho_client_unfollow(ear.follow);
  ear_follow(&ear, "c", "0");
  ear.heard[0] = '\0';
  UNTIL(w, strchr(ear.heard, '|'));
  fake_hub_publish(&fake, "b", "no");
  fake_hub_publish(&fake, "a", "yes");
  UNTIL(w, ear.messages == 1);
  followed_heard("start 0 | start 0 | 1 yes");
  assert_int_equal(fake.unsubs, 0);
}

/* ---- publishing ----------------------------------------------------------------------------- */

static void test_publish(void **state) {
  (void)state;
  char text[COHO_POS_MAX];
  ear_connect(&ear, &fake, NULL);
  assert_int_equal(ear_publish(&ear, "a", "hello"), 0); /* waits for the connection */
  assert_int_equal(coho_client_queued(ear.client), 1);
  UNTIL(w, ear.done == 1);
  assert_int_equal(ear.err, 0);
  assert_string_equal(coho_pos_text(ear.pos, text, sizeof text), "k3f9.1");
  assert_int_equal(coho_client_queued(ear.client), 0);
}

static void test_publishes_while_away_arrive_in_order(void **state) {
  (void)state;
  followed_open(NULL);
  fake_hub_kill(&fake, 1012);
  UNTIL(w, strchr(ear.states, 'w'));
  assert_int_equal(ear_publish(&ear, "a", "one"), 0);
  assert_int_equal(ear_publish(&ear, "a", "two"), 0);
  assert_int_equal(ear_publish(&ear, "a", "three"), 0);
  UNTIL(w, ear.done == 3 && ear.messages == 3);
  followed_heard("start 0 | start 0 | 1 one | 2 two | 3 three");
  assert_int_equal(ear.failed, 0);
}

static void test_a_lost_answer_publishes_once(void **state) {
  (void)state;
  ear_connect(&ear, &fake, NULL);
  fake.drop_pub_answer = 2;
  assert_int_equal(ear_publish(&ear, "a", "once"), 0);
  assert_int_equal(ear_publish(&ear, "a", "behind"), 0);
  UNTIL(w, ear.done == 2);
  assert_true(fake.pubs >= 4);
  assert_int_equal(fake.accepted, 2);
  assert_int_equal(ear.failed, 0);
  assert_string_equal(fake.topics[0]->held[0].text, "once");
  assert_int_equal(fake.topics[0]->last, 2);
  assert_int_equal(strlen(fake.topics[0]->held[0].idem), 32); /* 128 bits */
  assert_string_not_equal(fake.topics[0]->held[0].idem, fake.topics[0]->held[1].idem);
}

static void test_keys_of_the_program(void **state) {
  (void)state;
  coho_client_publish_options opt = ear_publish_options(&ear);
  opt.key = "EUR";
  opt.idempotency_key = "mine";
  ear_connect(&ear, &fake, NULL);
  for (int i = 0; i < 2; i++)
    assert_int_equal(coho_client_publish(ear.client, "a", coho_text("x"), &opt), 0);
  UNTIL(w, ear.done == 2);
  assert_int_equal(fake.accepted, 1);
  assert_int_equal(ear.pos.offset, 1);
  assert_string_equal(fake.topics[0]->held[0].idem, "mine");
}

static void test_what_cannot_be_published(void **state) {
  char large[3000], key[257];
  (void)state;
  coho_client_options opt = ear_options(&ear);
  coho_client_publish_options set = {.key = key};
  opt.max_queue = 2;
  opt.max_queue_bytes = 2500;
  ear_connect(&ear, &fake, &opt);
  memset(large, 'x', sizeof large);
  memset(key, 'k', sizeof key);
  key[256] = '\0';
  coho_msg m = coho_text("x");
  assert_int_equal(ear_publish(&ear, "a b", "x"), COHO_EINVAL);
  assert_int_equal(ear_publish(&ear, "a/presence", "x"), COHO_EINVAL);
  assert_int_equal(ear_publish(&ear, "a", "\xff"), COHO_EUTF8);
  assert_int_equal(coho_client_publish(ear.client, "a", m, &set), COHO_EINVAL);
  set = (coho_client_publish_options){.idempotency_key = ""};
  assert_int_equal(coho_client_publish(ear.client, "a", m, &set), COHO_EINVAL);
  m = coho_text_n(large, sizeof large);
  assert_int_equal(coho_client_publish(ear.client, "a", m, NULL), COHO_ETOOBIG);
  m.len = 1500;
  assert_int_equal(coho_client_publish(ear.client, "a", m, NULL), 0);
  assert_int_equal(coho_client_publish(ear.client, "a", m, NULL), COHO_EFULL); /* bytes */
  assert_int_equal(ear_publish(&ear, "a", "x"), 0);
  assert_int_equal(ear_publish(&ear, "a", "x"), COHO_EFULL); /* count */
  assert_int_equal(coho_client_queued(ear.client), 2);
  followed_end(); /* the first does not fit the hub of this test */
  assert_int_equal(ear.done, 1);
  assert_int_equal(ear.err, COHO_ESTOPPED);
}

static void test_a_publish_is_refused(void **state) {
  (void)state;
  ear_connect(&ear, &fake, NULL);
  fake_hub_refuse_pub(&fake, 1, "forbidden");
  assert_int_equal(ear_publish(&ear, "a", "x"), 0);
  UNTIL(w, ear.done == 1);
  assert_int_equal(ear.err, COHO_EFORBIDDEN);
  fake_hub_refuse_pub(&fake, 1, "of-the-future");
  assert_int_equal(ear_publish(&ear, "a", "x"), 0);
  UNTIL(w, ear.done == 2);
  assert_int_equal(ear.err, COHO_EHUBREFUSED);
  assert_string_equal(ear.states, "o");
}

static void test_a_publish_that_is_refused_for_now_is_sent_again(void **state) {
  static const char *const codes[] = {"full", "too-many", "unavailable"};
  (void)state;
  ear_connect(&ear, &fake, NULL);
  for (unsigned i = 0; i < 3; i++) {
    unsigned done = ear.done;
    fake_hub_refuse_pub(&fake, 5, codes[i]);
    for (int n = 0; n < 100; n++)
      assert_int_equal(ear_publish(&ear, "a", "x"), 0);
    UNTIL(w, ear.done == done + 100);
  }
  assert_int_equal(ear.failed, 0);
  assert_int_equal(fake.accepted, 300);
  assert_string_equal(ear.states, "o");
}

static void test_a_publish_has_a_deadline(void **state) {
  (void)state;
  coho_client_options opt = ear_options(&ear);
  opt.publish_timeout_ms = 1;
  fake.silent = 1;
  ear_connect(&ear, &fake, &opt);
  assert_int_equal(ear_publish(&ear, "a", "x"), 0);
  UNTIL(w, ear.done == 1);
  assert_int_equal(ear.err, COHO_ETIMEDOUT);
  assert_int_equal(coho_client_queued(ear.client), 0);
}

/* A slow connection: far more than it takes at once. */
static void test_more_than_the_connection_takes(void **state) {
  enum { MANY = 300 };
  char text[101] = "";
  (void)state;
  coho_options connection = {.max_message = 4096, .max_queue = 4096, .low_mark = 256};
  coho_client_options opt = ear_options(&ear);
  opt.connection = &connection;
  ear_connect(&ear, &fake, &opt);
  memset(text, 'y', 100);
  for (int i = 0; i < MANY; i++)
    assert_int_equal(ear_publish(&ear, "a", text), 0);
  UNTIL(w, ear.done == MANY);
  assert_int_equal(fake.accepted, MANY);
  assert_int_equal(ear.failed, 0);
  assert_string_equal(ear.states, "o");
}

static void test_pause(void **state) {
  (void)state;
  coho_client_options opt = ear_options(&ear);
  opt.answer_timeout_ms = 1000;
  ear_connect(&ear, &fake, &opt);
  coho_client_pause(ear.client);
  ear_follow(&ear, "a", NULL);
  UNTIL(w, fake.subs == 1);
  publish_numbers("a", 1, 1);
  for (int i = 0; i < 5; i++)
    world_turn(w);
  followed_heard("");
  coho_client_resume(ear.client);
  UNTIL(w, ear.messages == 1);
  followed_heard("start 0 | 1 n1");
  assert_string_equal(ear.states, "o");
}

/* ---- options --------------------------------------------------------------------------------- */

static void test_wrong_options(void **state) {
  static const char *const protocols[] = {"chat", NULL};
  static const char *const headers[] = {"Host: elsewhere", NULL};
  (void)state;
  coho_client *c;
  coho_options connection = {.protocols = protocols};
  coho_client_options opt = {.connection = &connection};
  assert_int_equal(coho_client_new(w->loop, fake.url, &opt, &c), COHO_EOPTION);
  connection = (coho_options){.flags = COHO_STREAM};
  assert_int_equal(coho_client_new(w->loop, fake.url, &opt, &c), COHO_EOPTION);
  connection = (coho_options){.headers = headers};
  assert_int_equal(coho_client_new(w->loop, fake.url, &opt, &c), COHO_EOPTION);
  opt = (coho_client_options){.flags = 1U << 31};
  assert_int_equal(coho_client_new(w->loop, fake.url, &opt, &c), COHO_EOPTION);
  opt = (coho_client_options){.retry = {.first_ms = 2, .most_ms = 1}};
  assert_int_equal(coho_client_new(w->loop, fake.url, &opt, &c), COHO_EOPTION);
  opt = (coho_client_options){.token = "a\r\nb"};
  assert_int_equal(coho_client_new(w->loop, fake.url, &opt, &c), COHO_EOPTION);
  assert_int_equal(coho_client_new(w->loop, "http://h/", NULL, &c), COHO_EURL);
  assert_int_equal(coho_client_new(w->loop, NULL, NULL, &c), COHO_EURL);
  assert_null(c);
  coho_client_free(NULL);
  coho_client_unfollow(NULL);
}

/* The options of its connections are used: trust and further fields, for each of them. */
static void test_tls(void **state) {
  (void)state;
  coho_tls *serves, *trusts, *wary;
  coho_tls_options self = {.flags = COHO_TLS_SELF_SIGNED};
  coho_tls_options trusting = {.flags = COHO_TLS_INSECURE}, doubting = {.flags = 0};
  assert_int_equal(coho_tls_new(&self, &serves, NULL, 0), 0);
  assert_int_equal(coho_tls_new(&trusting, &trusts, NULL, 0), 0);
  assert_int_equal(coho_tls_new(&doubting, &wary, NULL, 0), 0);
  fake_hub_close(&fake);
  fake_hub_open_tls(&fake, serves);
  coho_tls_free(serves);
  coho_options connection = {.tls = wary};
  coho_client_options opt = ear_options(&ear);
  opt.connection = &connection;
  ear_connect(&ear, &fake, &opt);
  coho_tls_free(wary);
  UNTIL(w, ear.states[0] == 'w');
  assert_int_equal(ear.ending.err, COHO_ECERT);
  coho_client_free(ear.client);
  connection.tls = trusts;
  ear_connect(&ear, &fake, &opt);
  coho_tls_free(trusts); /* the client keeps it */
  ear_follow(&ear, "a", NULL);
  UNTIL(w, ear.heard[0]);
  fake_hub_kill(&fake, 0);
  assert_int_equal(ear_publish(&ear, "a", "hello"), 0);
  UNTIL(w, ear.messages == 1);
  followed_heard("start 0 | start 0 | 1 hello");
}

int main(void) {
  const struct CMUnitTest tests[] = {
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, followed_setup, followed_teardown)
      TEST(test_live),
      TEST(test_all_that_is_held),
      TEST(test_since),
      TEST(test_gap_with_its_number),
      TEST(test_gap_of_another_epoch_and_of_the_future),
      TEST(test_binary_and_odd_texts),
      TEST(test_several_topics),
      TEST(test_presence_is_asked_for),
      TEST(test_what_cannot_be_followed),
      TEST(test_a_limit_of_topics),
      TEST(test_goes_on_where_it_was),
      TEST(test_a_hole_that_came_meanwhile),
      TEST(test_restart_of_the_hub),
      TEST(test_nobody_there_at_first),
      TEST(test_follows_and_leaves_while_away),
      TEST(test_publish),
      TEST(test_publishes_while_away_arrive_in_order),
      TEST(test_a_lost_answer_publishes_once),
      TEST(test_keys_of_the_program),
      TEST(test_what_cannot_be_published),
      TEST(test_a_publish_is_refused),
      TEST(test_a_publish_that_is_refused_for_now_is_sent_again),
      TEST(test_a_publish_has_a_deadline),
      TEST(test_more_than_the_connection_takes),
      TEST(test_pause),
      TEST(test_wrong_options),
      TEST(test_tls),
#undef TEST
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
