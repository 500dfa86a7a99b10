/* The client of topics and hubs that end, refuse, lie and fall silent (B27). */
#include "followed.h"
#include "support/text.h"

#include <string.h>

static struct world *const w = &fake.world;

/* ---- codes and statuses --------------------------------------------------------------------- */

/* By default 5 to 30 s; the program knows better. */
static void test_is_left_alone_after_1012_1013_1008_4429(void **state) {
  static const int codes[] = {1012, 1013, 1008, 4429};
  (void)state;
  coho_client_options opt = ear_options(&ear);
  opt.retry.first_ms = 1000;
  followed_open(&opt);
  for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
    memset(ear.states, 0, sizeof ear.states);
    fake_hub_kill(&fake, codes[i]);
    UNTIL(w, followed_is(COHO_CLIENT_WAITING));
    assert_int_equal(ear.ending.code, codes[i]);
    assert_in_range(ear.wait_ms, 4900, 30000);
    coho_client_retry(ear.client);
    UNTIL(w, followed_is(COHO_CLIENT_OPEN));
    assert_string_equal(ear.states, "wco");
  }
}

static void test_comes_back_soon_after_4408_and_others(void **state) {
  static const int codes[] = {4408, 1000, 1001, 1002, 1011, 4000};
  (void)state;
  coho_client_options opt = ear_options(&ear);
  opt.retry.first_ms = opt.retry.most_ms = 1000;
  followed_open(&opt);
  for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
    fake_hub_kill(&fake, codes[i]);
    UNTIL(w, followed_is(COHO_CLIENT_WAITING));
    assert_in_range(ear.wait_ms, 0, 1000);
    coho_client_retry(ear.client);
    UNTIL(w, followed_is(COHO_CLIENT_OPEN));
  }
}

static void test_retry_after(void **state) {
  static const int statuses[] = {503, 429};
  (void)state;
  coho_client_options opt = ear_options(&ear);
  opt.retry.first_ms = opt.retry.most_ms = 1000;
  fake.retry_after = "120";
  for (size_t i = 0; i < 2; i++) {
    fake_hub_refuse(&fake, 1, statuses[i]);
    ear_connect(&ear, &fake, &opt);
    UNTIL(w, followed_is(COHO_CLIENT_WAITING));
    assert_int_equal(ear.ending.retry_after_ms, 120000);
    assert_in_range(ear.wait_ms, 119000, 121000);
    followed_end();
  }
}

static void test_statuses_and_codes_that_end_it(void **state) {
  static const int statuses[] = {400, 403, 404, 410, 426};
  (void)state;
  for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++) {
    fake_hub_refuse(&fake, 1, statuses[i]);
    ear_connect(&ear, &fake, NULL);
    UNTIL(w, followed_is(COHO_CLIENT_CLOSED));
    assert_int_equal(ear.ending.status, statuses[i]);
    followed_end();
  }
  followed_open(NULL);
  fake.silent = 1;
  assert_int_equal(ear_publish(&ear, "a", "x"), 0);
  fake_hub_kill(&fake, 4403);
  UNTIL(w, followed_is(COHO_CLIENT_CLOSED));
  assert_int_equal(ear.done, 1);
  assert_int_equal(ear.err, COHO_ECLOSED);
  assert_int_equal(ear_publish(&ear, "a", "x"), COHO_ECLOSED);
  assert_int_equal(coho_client_follow(ear.client, "b", NULL, NULL), COHO_ECLOSED);
  assert_int_equal(coho_client_set_token(ear.client, "t"), COHO_ECLOSED);
  coho_pos pos;
  assert_int_equal(coho_follow_pos(ear.follow, &pos), 0); /* to be stored */
}

static void test_no_hub(void **state) {
  (void)state;
  fake.unwilling = true;
  ear_connect(&ear, &fake, NULL);
  UNTIL(w, followed_is(COHO_CLIENT_CLOSED));
  assert_int_equal(ear.ending.err, COHO_ENOPROTOCOL);
}

static void test_gives_up(void **state) {
  (void)state;
  coho_client_options opt = ear_options(&ear);
  opt.retry = (coho_retry){.first_ms = 1, .most_ms = 1, .attempts = 3};
  fake_hub_refuse(&fake, 99, 500);
  ear_connect(&ear, &fake, &opt);
  assert_int_equal(ear_publish(&ear, "a", "x"), 0);
  UNTIL(w, followed_is(COHO_CLIENT_CLOSED));
  assert_int_equal(fake.handshakes, 3);
  assert_string_equal(ear.states, "wcwcx");
  assert_int_equal(ear.err, COHO_ESTATUS);
}

/* ---- tokens --------------------------------------------------------------------------------- */

static void test_token_as_subprotocol(void **state) {
  (void)state;
  coho_client_options opt = ear_options(&ear);
  opt.token = fake.token = "abc.def-_";
  followed_open(&opt);
  assert_string_equal(fake.last_offer, "bearer.abc.def-_");
  assert_int_equal(fake.auths, 0);
}

static void test_token_as_message(void **state) {
  (void)state;
  coho_client_options opt = ear_options(&ear);
  opt.token = fake.token = "abc";
  opt.flags = COHO_TOKEN_MESSAGE;
  fake.token_by_message = true;
  followed_open(&opt);
  assert_string_equal(fake.last_offer, "");
  assert_int_equal(fake.auths, 1);
  fake_hub_kill(&fake, 0);
  UNTIL(w, fake.auths == 2 && fake.subs == 2);
}

static void test_token_that_cannot_be_a_subprotocol(void **state) {
  (void)state;
  coho_client_options opt = ear_options(&ear);
  opt.token = fake.token = "no token, but \"text\"";
  fake.token_by_message = true;
  followed_open(&opt);
  assert_string_equal(fake.last_offer, "");
}

static void test_401_waits_for_a_token(void **state) {
  (void)state;
  fake.token = "good";
  ear_connect(&ear, &fake, NULL);
  ear_follow(&ear, "a", NULL);
  UNTIL(w, strchr(ear.states, 't'));
  assert_int_equal(ear.token_in, 0);
  assert_int_equal(coho_client_wait_ms(ear.client), UINT32_MAX);
  coho_client_retry(ear.client); /* not without a token */
  for (int i = 0; i < 5; i++)
    world_turn(w);
  assert_int_equal(fake.handshakes, 1);
  assert_int_equal(coho_client_set_token(ear.client, "good"), 0);
  UNTIL(w, ear.heard[0]);
  assert_string_equal(ear.states, "wtco");
}

static void give_token(struct ear *e) {
  assert_int_equal(coho_client_set_token(e->client, "fresh"), 0);
}

static void test_4401_asks_for_a_token(void **state) {
  (void)state;
  coho_client_options opt = ear_options(&ear);
  opt.token = fake.token = "old";
  ear.on_token = give_token;
  followed_open(&opt);
  fake.token = "fresh";
  fake_hub_kill(&fake, 4401);
  UNTIL(w, fake.subs == 2);
  assert_string_equal(ear.states, "owtco");
}

static void test_4401_without_a_handler_ends_it(void **state) {
  (void)state;
  coho_client_options opt = ear_options(&ear);
  opt.on_token = NULL;
  fake.token = "secret";
  ear_connect(&ear, &fake, &opt);
  UNTIL(w, followed_is(COHO_CLIENT_CLOSED));
  assert_int_equal(ear.ending.status, 401);
}

static void test_expiring_refreshes(void **state) {
  (void)state;
  coho_client_options opt = ear_options(&ear);
  opt.token = fake.token = "old";
  ear.on_token = give_token;
  followed_open(&opt);
  fake.token = "fresh";
  fake_hub_say_text(&fake, "{'op':'expiring','in':30}");
  UNTIL(w, fake.auths == 1);
  assert_int_equal(ear.token_in, 30);
  fake_hub_publish(&fake, "a", "still here");
  UNTIL(w, ear.messages == 1);
  assert_string_equal(ear.states, "ot");
}

static void test_a_new_token_asks_again_for_what_was_denied(void **state) {
  (void)state;
  ear_connect(&ear, &fake, NULL);
  fake_hub_refuse_sub(&fake, 1, "forbidden");
  ear_follow(&ear, "a", NULL);
  UNTIL(w, ear.heard[0]);
  followed_heard("refused COHO_EFORBIDDEN because");
  fake_hub_kill(&fake, 0);
  UNTIL(w, fake.opens == 2);
  assert_int_equal(coho_client_set_token(ear.client, "better"), 0);
  UNTIL(w, fake.auths == 1 && strchr(ear.heard, '|'));
  assert_int_equal(fake.subs, 2);
}

/* ---- refusals ------------------------------------------------------------------------------- */

static void test_what_is_refused_for_now_is_asked_again(void **state) {
  static const char *const codes[] = {"full", "too-many", "unavailable"};
  (void)state;
  ear_connect(&ear, &fake, NULL);
  for (unsigned i = 0; i < 3; i++) {
    fake_hub_refuse_sub(&fake, 2, codes[i]);
    ear.heard[0] = '\0';
    ear_follow(&ear, "a", NULL);
    UNTIL(w, strstr(ear.heard, "start"));
    assert_int_equal(fake.subs, 3 * (i + 1));
    coho_client_unfollow(ear.follow);
  }
  assert_string_equal(ear.states, "o");
}

static void test_a_hub_that_falls_silent(void **state) {
  (void)state;
  coho_client_options opt = ear_options(&ear);
  opt.answer_timeout_ms = 20;
  fake.silent = 1;
  ear_connect(&ear, &fake, &opt);
  ear_follow(&ear, "a", NULL);
  UNTIL(w, strchr(ear.states, 'w'));
  assert_int_equal(ear.ending.err, COHO_ENOANSWER);
  UNTIL(w, ear.heard[0]);
}

/* A message that the hub does not take must not be sent for ever. */
static void test_1009_takes_the_largest(void **state) {
  (void)state;
  fake.silent = 3;
  ear_connect(&ear, &fake, NULL);
  assert_int_equal(ear_publish(&ear, "a", "small"), 0);
  assert_int_equal(ear_publish(&ear, "a", "this one is larger than the others"), 0);
  assert_int_equal(ear_publish(&ear, "a", "tiny"), 0);
  UNTIL(w, fake.silent == 0);
  fake_hub_kill(&fake, 1009);
  UNTIL(w, ear.done == 1);
  assert_int_equal(ear.err, COHO_ETOOBIG);
  UNTIL(w, ear.done == 3);
  assert_int_equal(ear.failed, 1);
  assert_string_equal(fake.topics[0]->held[1].text, "tiny");
}

/* ---- lies ----------------------------------------------------------------------------------- */

static void test_B27_garbage_closes_with_1007(void **state) {
  static const char *const frames[] = {"",
                                       "x",
                                       "[]",
                                       "null",
                                       "{",
                                       "{}",
                                       "{'op':1}",
                                       "{'op':null}",
                                       "{'topic':'a','data':'x'}",
                                       "{'topic':'a','pos':'k3f9.1'}",
                                       "{'topic':1,'pos':'k3f9.1','data':'x'}",
                                       "{'topic':'a','pos':1,'data':'x'}",
                                       "{'topic':'a','pos':'0','data':'x'}",
                                       "{'topic':'a','pos':'k3f9.1\\u0000','data':'x'}",
                                       "{'topic':'a','pos':'k3f9.1','data':{}}",
                                       "{'topic':'a','pos':'k3f9.1','data64':'x'}",
                                       "{'topic':'a','pos':'k3f9.1','data':'x','data64':'eA=='}",
                                       "{'topic':'a','topic':'a','pos':'k3f9.1','data':'x'}",
                                       "{'op':'gap','topic':'a','pos':'k3f9.1'}",
                                       "{'op':'gap','topic':'a','lost':0,'pos':'k3f9.1'}",
                                       "{'op':'gap','topic':'a','lost':-1,'pos':'k3f9.1'}",
                                       "{'op':'gap','topic':'a','lost':1.5,'pos':'k3f9.1'}",
                                       "{'op':'gap','lost':1,'pos':'k3f9.1'}",
                                       "{'op':'ok','id':1,'pos':'?'}",
                                       "{'op':'error','id':1,'code':'full'}",
                                       "{'op':'error','id':1,'text':'full'}",
                                       "{'op':'expiring'}",
                                       "{'op':'expiring','in':-1}",
                                       "{'op':'x','y':[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]}",
                                       "{'topic':'a','pos':'k3f9.1','data':'x'} {}"};
  (void)state;
  followed_open(NULL);
  for (size_t i = 0; i < sizeof frames / sizeof *frames; i++) {
    unsigned opens = fake.opens;
    fake_hub_say_text(&fake, frames[i]);
    UNTIL(w, fake.opens > opens && fake.subs == fake.opens);
    if (ear.ending.err != COHO_EHUBFRAME || fake.last_code != 1007)
      fail_msg("%s: %s, %u", frames[i], coho_errname(ear.ending.err), fake.last_code);
  }
  assert_int_equal(ear.messages + ear.gaps, 0);
}

static void test_B27_binary_closes_with_1003(void **state) {
  (void)state;
  followed_open(NULL);
  fake_hub_say(&fake, coho_binary("{}", 2));
  UNTIL(w, fake.opens == 2);
  assert_int_equal(ear.ending.err, COHO_EHUBBINARY);
  assert_int_equal(fake.last_code, 1003);
}

/* The first frame of each connection: no row of quick attempts. */
static void test_B27_garbage_at_once_counts_as_failure(void **state) {
  (void)state;
  coho_client_options opt = ear_options(&ear);
  opt.retry = (coho_retry){.first_ms = 1, .most_ms = 60000, .attempts = 5};
  ear_connect(&ear, &fake, &opt);
  for (unsigned i = 1; i <= 5; i++) {
    UNTIL(w, fake_hub_connected(&fake) == 1 && fake.opens == i);
    fake_hub_say_text(&fake, "!");
    UNTIL(w, fake_hub_connected(&fake) == 0);
    if (i < 5) UNTIL(w, coho_client_status(ear.client) != COHO_CLIENT_WAITING);
  }
  UNTIL(w, followed_is(COHO_CLIENT_CLOSED));
  assert_int_equal(fake.opens, 5);
}

static void test_B27_what_nobody_asked_for_is_dropped(void **state) {
  static const char *const frames[] = {
      "{'topic':'b','pos':'k3f9.1','data':'another topic'}",
      "{'topic':'a','pos':'k3f9.2','data':'came before'}",
      "{'topic':'a','pos':'k3f9.1','data':'backwards'}",
      "{'topic':'a','pattern':'+','pos':'k3f9.9','data':'of a pattern'}",
      "{'op':'gap','topic':'a','pattern':'+','lost':1,'pos':'k3f9.9'}",
      "{'op':'gap','topic':'b','lost':1,'pos':'k3f9.9'}",
      "{'op':'gap','topic':'a','lost':1,'pos':'k3f9.2'}",
      "{'op':'ok','id':999,'pos':'k3f9.9'}",
      "{'op':'ok','id':1,'topic':'a','pos':'k3f9.9'}", /* once more */
      "{'op':'ok','id':'x'}",
      "{'op':'ok'}",
      "{'op':'error','code':'bad-request','text':'?'}",
      "{'op':'pong','id':4}",
      "{'op':'of the future','topic':[1]}",
      "{'op':'presence','topic':'a','members':[],'pos':'k3f9.1'}",
      "{'topic':'a','pos':'k3f9.3','data':'n3','unknown':{'field':[1,2]}}"};
  (void)state;
  followed_open(NULL);
  fake_hub_publish(&fake, "a", "n1");
  fake_hub_publish(&fake, "a", "n2");
  for (size_t i = 0; i < sizeof frames / sizeof *frames; i++)
    fake_hub_say_text(&fake, frames[i]);
  UNTIL(w, ear.messages == 3);
  followed_heard("start 0 | 1 n1 | 2 n2 | 3 n3");
  assert_string_equal(ear.states, "o");
}

static void test_another_life_without_a_word_is_a_gap(void **state) {
  (void)state;
  followed_open(NULL);
  fake_hub_say_text(&fake, "{'topic':'a','pos':'zz.5','data':'x'}");
  UNTIL(w, ear.messages == 1);
  followed_heard("start 0 | gap ? 4 | 5 x");
}

static void test_a_hub_that_chooses_the_token(void **state) {
  static const char *const protocols[] = {"bearer.abc", NULL};
  (void)state;
  struct world other;
  coho_options so = {.protocols = protocols};
  coho_client_options opt = ear_options(&ear);
  opt.token = "abc";
  world_open(&other, "/t/", &so);
  assert_int_equal(coho_client_new(other.loop, text_of("%s/t/", other.url), &opt, &ear.client), 0);
  UNTIL(&other, followed_is(COHO_CLIENT_CLOSED));
  assert_int_equal(ear.ending.err, COHO_EANSWERPROTOCOL);
  followed_end();
  world_close(&other);
}

/* ---- handlers that end what calls them ------------------------------------------------------ */

static void end_client(struct ear *e) {
  (void)e;
  followed_end();
}
static void end_in_message(struct ear *e, coho_follow *f, coho_pos pos, coho_msg m) {
  (void)f, (void)pos, (void)m;
  end_client(e);
}
static void end_in_gap(struct ear *e, coho_follow *f, uint64_t lost, coho_pos pos) {
  (void)f, (void)lost, (void)pos;
  end_client(e);
}
static void end_in_start(struct ear *e, coho_follow *f) {
  (void)f;
  end_client(e);
}
static void end_in_error(struct ear *e, coho_follow *f, int err) {
  (void)f, (void)err;
  end_client(e);
}
static void end_in_state(struct ear *e, uint32_t state) {
  if (state == e->wait_ms) end_client(e); /* wait_ms: which one, set by the test */
}
static void end_in_done(struct ear *e, int err) {
  (void)err;
  if (e->client) end_client(e);
}

static void hope_for_end(void) {
  UNTIL(w, !ear.client && !fake_hub_connected(&fake));
  for (int i = 0; i < 3; i++)
    world_turn(w);
}

enum place { MESSAGE, GAP, SILENT_GAP, START, REFUSAL, DONE, STATE, TOKEN, PLACES };

/* The handler of this place frees the client. */
static void arm(enum place place) {
  memset(&ear, 0, sizeof ear);
  ear.wait_ms = COHO_CLIENT_OPEN;
  switch (place) {
  case MESSAGE: ear.on_message = end_in_message; break;
  case GAP:
  case SILENT_GAP: ear.on_gap = end_in_gap; break;
  case START: ear.on_start = end_in_start; break;
  case REFUSAL:
    ear.on_error = end_in_error;
    fake_hub_refuse_sub(&fake, 1, "forbidden");
    break;
  case DONE: ear.on_done = end_in_done; break;
  case STATE: ear.on_state = end_in_state; break;
  case TOKEN: ear.on_token = end_client; break;
  case PLACES: break;
  }
}

/* What makes the hub say what that handler is about, once it follows. */
static void provoke(enum place place) {
  static const char *const frames[PLACES] = {[GAP] =
                                                 "{'op':'gap','topic':'a','lost':null,'pos':'z.1'}",
                                             [SILENT_GAP] = "{'topic':'a','pos':'z.1','data':''}",
                                             [TOKEN] = "{'op':'expiring','in':1}"};
  if (place == START || place == REFUSAL || place == DONE || place == STATE) return;
  UNTIL(w, strchr(ear.heard, '|'));
  if (frames[place]) fake_hub_say_text(&fake, frames[place]);
  if (place != MESSAGE) return;
  fake_hub_publish(&fake, "b", "one");
  fake_hub_publish(&fake, "a", "two");
}

static void test_the_client_is_freed_by_its_handlers(void **state) {
  (void)state;
  for (unsigned place = 0; place < PLACES; place++) {
    arm((enum place)place);
    ear_connect(&ear, &fake, NULL);
    ear_follow(&ear, "b", NULL);
    ear_follow(&ear, "a", NULL);
    for (int n = 0; place == DONE && n < 3; n++)
      assert_int_equal(ear_publish(&ear, "c", "x"), 0);
    provoke((enum place)place);
    hope_for_end();
    assert_int_equal(ear.messages, place == MESSAGE);
    assert_int_equal(ear.done, place == DONE ? 3 : 0);
  }
}

static void leave(struct ear *e, coho_follow *f, coho_pos pos, coho_msg m) {
  (void)pos, (void)m;
  coho_client_unfollow(f);
  coho_client_unfollow(f); /* valid until the handler returns */
  assert_string_equal(coho_follow_topic(f), "a");
  if (e->messages == 1) ear_follow(e, "a", NULL);
}

static void test_a_topic_is_left_and_followed_again_in_its_handler(void **state) {
  (void)state;
  ear.on_message = leave;
  followed_open(NULL);
  fake_hub_publish(&fake, "a", "one");
  fake_hub_publish(&fake, "a", "two"); /* on its way when it is left */
  UNTIL(w, fake.subs == 2);
  fake_hub_publish(&fake, "a", "three");
  UNTIL(w, fake.unsubs == 2);
  followed_heard("start 0 | 1 one | start 2 | 3 three");
}

static void test_ends_while_it_waits_and_connects(void **state) {
  (void)state;
  ear_connect(&ear, &fake, NULL);
  followed_end(); /* connecting */
  coho_client_options opt = ear_options(&ear);
  opt.retry.first_ms = 100000;
  opt.retry.most_ms = 100000;
  followed_open(&opt);
  assert_int_equal(ear_publish(&ear, "a", "x"), 0);
  fake_hub_kill(&fake, 1001);
  UNTIL(w, followed_is(COHO_CLIENT_WAITING));
  followed_end();
  assert_int_equal(ear.done, 1);
}

int main(void) {
  const struct CMUnitTest tests[] = {
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, followed_setup, followed_teardown)
      TEST(test_is_left_alone_after_1012_1013_1008_4429),
      TEST(test_comes_back_soon_after_4408_and_others),
      TEST(test_retry_after),
      TEST(test_statuses_and_codes_that_end_it),
      TEST(test_no_hub),
      TEST(test_gives_up),
      TEST(test_token_as_subprotocol),
      TEST(test_token_as_message),
      TEST(test_token_that_cannot_be_a_subprotocol),
      TEST(test_401_waits_for_a_token),
      TEST(test_4401_asks_for_a_token),
      TEST(test_4401_without_a_handler_ends_it),
      TEST(test_expiring_refreshes),
      TEST(test_a_new_token_asks_again_for_what_was_denied),
      TEST(test_what_is_refused_for_now_is_asked_again),
      TEST(test_a_hub_that_falls_silent),
      TEST(test_1009_takes_the_largest),
      TEST(test_B27_garbage_closes_with_1007),
      TEST(test_B27_binary_closes_with_1003),
      TEST(test_B27_garbage_at_once_counts_as_failure),
      TEST(test_B27_what_nobody_asked_for_is_dropped),
      TEST(test_another_life_without_a_word_is_a_gap),
      TEST(test_a_hub_that_chooses_the_token),
      TEST(test_the_client_is_freed_by_its_handlers),
      TEST(test_a_topic_is_left_and_followed_again_in_its_handler),
      TEST(test_ends_while_it_waits_and_connects),
#undef TEST
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
