/* The client of topics while connections, histories and hubs come and go as the dice have it. */
#include "followed.h"
#include "support/dice.h"
#include "support/text.h"

#include <stdlib.h>

static struct world *const w = &fake.world;

enum { MESSAGES = 400 };

struct reader {
  struct ear ear;
  uint64_t next; /* the number that should come */
  bool unknown;
};

/* The text of a message is its number, over all lives of the topic. */
static void read_number(struct ear *e, coho_follow *f, coho_pos pos, coho_msg m) {
  struct reader *r = (struct reader *)(void *)e;
  (void)f, (void)pos;
  unsigned long number = strtoul(text_of("%.*s", (int)m.len, m.data), NULL, 10);
  if (r->unknown)
    assert_true(number >= r->next);
  else
    assert_int_equal(number, r->next);
  r->unknown = false;
  r->next = number + 1;
}

static void read_gap(struct ear *e, coho_follow *f, uint64_t lost, coho_pos pos) {
  struct reader *r = (struct reader *)(void *)e;
  (void)f, (void)pos;
  if (lost == COHO_LOST_UNKNOWN)
    r->unknown = true;
  else
    r->next += lost;
}

static void publish(unsigned number) { fake_hub_publish(&fake, "a", text_of("%u", number)); }

/* The oldest that is held once more. */
static void repeat(void) {
  if (!fake.topics[0]->count) return;
  const struct fake_message *m = fake.topics[0]->held;
  fake_hub_say_text(&fake, text_of("{'topic':'a','pos':'%s.%llu','data':'%s'}", fake.epoch,
                                   (unsigned long long)m->offset, m->text));
}

static void break_something(struct dice *d) {
  switch (dice(d, 5)) {
  case 0: fake_hub_kill(&fake, 0); break;
  case 1: fake_hub_kill(&fake, dice(d, 2) ? 1012 : 4408); break;
  case 2: fake_hub_refuse(&fake, 1, 503); break;
  case 3: fake_hub_trim(&fake, "a", dice(d, 8)); break;
  default:
    if (dice(d, 3) == 0) fake_hub_restart(&fake);
  }
}

static void do_something(struct dice *d, unsigned *number) {
  uint32_t what = dice(d, 100);
  if (what < 5)
    break_something(d);
  else if (what < 10)
    repeat();
  else if (what < 50)
    world_turn(w);
  else
    publish(++*number);
}

enum { STORMS = 8 };

static void test_each_message_once_or_a_true_gap(void **state) {
  (void)state;
  unsigned messages = 0, gaps = 0, opens = 0;
  for (uint64_t seed = 1; seed <= STORMS; seed++) {
    struct dice d = dice_of(seed);
    struct reader r = {.next = 1};
    unsigned number = 0;
    r.ear.on_message = read_number;
    r.ear.on_gap = read_gap;
    fake_hub_trim(&fake, "a", 0); /* there is a topic */
    ear_connect(&r.ear, &fake, NULL);
    ear_follow(&r.ear, "a", NULL);
    UNTIL(w, r.ear.heard[0]);
    while (number < MESSAGES)
      do_something(&d, &number);
    publish(++number);
    UNTIL(w, r.next > number);
    messages += r.ear.messages;
    gaps += r.ear.gaps;
    opens += fake.opens;
    coho_client_free(r.ear.client);
    followed_again();
  }
  print_message("%u messages, %u gaps, %u connections\n", messages, gaps, opens);
  assert_true(messages > STORMS * MESSAGES / 2 && gaps > STORMS &&
              opens > STORMS * 4); /* it was a storm */
}

static void storm_of_publishes(struct dice *d) {
  unsigned sent = 0;
  ear_connect(&ear, &fake, NULL);
  while (sent < MESSAGES) {
    switch (dice(d, 12)) {
    case 0: fake_hub_kill(&fake, dice(d, 2) ? 0 : 1001); break;
    case 1: fake.drop_pub_answer = 1; break;
    case 2:
    case 3: world_turn(w); break;
    default: sent += ear_publish(&ear, "a", text_of("%u", sent)) == 0;
    }
  }
}

/* Whatever happens to the connection, each publish ends once, and what it says is so. */
static void test_each_publish_once(void **state) {
  (void)state;
  for (uint64_t seed = 1; seed <= STORMS; seed++) {
    struct dice d = dice_of(seed);
    storm_of_publishes(&d);
    UNTIL(w, ear.done == MESSAGES);
    assert_int_equal(ear.failed, 0);
    assert_int_equal(fake.accepted, MESSAGES);
    for (unsigned i = 0; i < MESSAGES; i++)
      assert_string_equal(fake.topics[0]->held[i].text, text_of("%u", i));
    followed_again();
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(test_each_message_once_or_a_true_gap, followed_setup,
                                      followed_teardown),
      cmocka_unit_test_setup_teardown(test_each_publish_once, followed_setup, followed_teardown),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
