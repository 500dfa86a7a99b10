/* The list of who is here, while they come and go. */
#include "support/alloc_fail.h"
#include "support/hub_world.h"

#include "hub/hub.h"
#include "hub/presence.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Pages enough that something can happen between them. */
enum { CROWD = 3 * COHO_PRESENT_MOST };

static struct hub_world w;

static void id_text(char id[16], unsigned i) { snprintf(id, 16, "m%u", i); }

static void enter(unsigned i) {
  char id[16];
  id_text(id, i);
  assert_int_equal(coho_presence_enter(w.hub, "room", id, NULL), 0);
}

static void leave(unsigned i) {
  char id[16];
  id_text(id, i);
  assert_int_equal(coho_presence_leave(w.hub, "room", id), 0);
}

static void open_crowd(void) {
  hub_world_open_topics(&w, &(coho_topic_options){.grace_ms = 1});
  for (unsigned i = 0; i < CROWD; i++)
    enter(i);
}

/* What was told, and what the test does at the first of them. */
static unsigned told[CROWD * 4];
static unsigned count;
static void (*at_first)(void);

static unsigned number_of(const char *id) {
  assert_int_equal(id[0], 'm');
  return (unsigned)strtoul(id + 1, NULL, 10);
}

static void note(void *ctx, const char *id, const char *info) {
  (void)ctx;
  assert_string_equal(info, "null");
  assert_true(count < COHO_COUNT(told));
  told[count++] = number_of(id);
  if (count == 1 && at_first) at_first();
}

static size_t list(void (*meanwhile)(void), coho_pos *pos) {
  count = 0;
  at_first = meanwhile;
  size_t n = coho_presence_list(w.hub, "room", note, NULL, pos);
  assert_int_equal(n, count);
  return n;
}

static bool was_told(unsigned n) {
  for (unsigned i = 0; i < count; i++)
    if (told[i] == n) return true;
  return false;
}

/* ---- pages ----------------------------------------------------------------------------------- */

static void test_all_in_order_of_arrival(void **state) {
  (void)state;
  open_crowd();
  assert_int_equal(list(NULL, NULL), CROWD);
  for (unsigned i = 0; i < CROWD; i++)
    assert_int_equal(told[i], i);
  assert_int_equal(coho_presence_list(w.hub, "room", NULL, NULL, NULL), CROWD);
  hub_world_close(&w);
}

/* Members as large as they may be; a page holds few of them, and at least one. */
static void test_large_members(void **state) {
  (void)state;
  char id[256], info[1025];
  memset(id, 'i', 255);
  id[255] = '\0';
  memset(info, 'x', 1024);
  info[0] = info[1023] = '"';
  info[1024] = '\0';
  hub_world_open(&w, NULL);
  for (const char *c = "abcdefghijklmnopqrstuvwxyz"; *c; c++) {
    id[0] = *c;
    assert_int_equal(coho_presence_enter(w.hub, "room", id, info), 0);
  }
  struct coho__presence_page page;
  uint64_t after = 0;
  size_t all = 0, pages = 0;
  do {
    coho__presence_look(w.hub, VIEW("room"), after, &page, NULL);
    assert_in_range(page.count, 1, COHO_PRESENT_BYTES / (256 + 1025));
    for (size_t i = 0; i < page.count; i++) {
      assert_int_equal(page.members[i].id[0], 'a' + (char)all++);
      assert_int_equal(strlen(page.members[i].info), 1024);
      assert_true(page.members[i].number > after);
      after = page.members[i].number;
    }
    pages++;
  } while (page.more);
  assert_int_equal(all, 26);
  assert_true(pages > 4);
  hub_world_close(&w);
}

/* ---- meanwhile ------------------------------------------------------------------------------- */

/* Nothing is locked while it tells. */
static void use_the_hub(void) {
  coho_hub_stats st;
  coho_hub_get_stats(w.hub, &st);
  assert_int_equal(st.members, CROWD);
  publish_number(w.hub, "room", 1);
  assert_int_equal(coho_presence_list(w.hub, "room", NULL, NULL, NULL), CROWD);
}

static void test_what_is_told_may_use_the_hub(void **state) {
  (void)state;
  open_crowd();
  assert_int_equal(list(use_the_hub, NULL), CROWD);
  hub_world_close(&w);
}

/* Every other one leaves, and as many come. */
static void come_and_go(void) {
  for (unsigned i = 0; i < CROWD; i += 2)
    leave(i);
  hub_world_wait(&w, 2);
  hub_world_pass(&w, 2000);
  for (unsigned i = 0; i < CROWD; i++)
    enter(CROWD + i);
}

static bool present[3 * CROWD];

static int apply(struct coho__sink *s, const struct coho__delivery *d) {
  const coho_msg *m = &d->message->msg;
  (void)s;
  json_t *event = json_loadb(m->data, m->len, 0, NULL);
  const char *what = json_string_value(json_object_get(event, "event"));
  assert_non_null(what);
  if (strcmp(what, "update") != 0)
    present[number_of(json_string_value(json_object_get(event, "id")))] = strcmp(what, "join") == 0;
  json_decref(event);
  return 0;
}

/* The list, and what is published after its position, is who is here. */
static void test_the_list_and_what_comes_after_it(void **state) {
  (void)state;
  static const struct coho__sink_ops ops = {.message = apply};
  struct coho__sink sink;
  coho_start start;
  coho_pos pos;
  open_crowd();
  (void)list(come_and_go, &pos);
  assert_false(was_told(2 * CROWD - 1)); /* who comes meanwhile does not keep it going */
  memset(present, 0, sizeof present);
  for (unsigned i = 0; i < count; i++)
    present[told[i]] = true;
  for (unsigned i = 1; i < CROWD; i += 2)
    assert_true(was_told(i)); /* who stayed */
  coho__sink_init(&sink, &ops, w.loop);
  assert_int_equal(coho__sink_subscribe(w.hub, &sink, VIEW("room/presence"), &pos, &start), 0);
  assert_int_equal(start.lost, 0);
  coho__sink_ready(&sink);
  hub_world_settle(&w);
  coho__sink_end(&sink);
  for (unsigned i = 0; i < 2 * CROWD; i++)
    assert_int_equal(present[i], i >= CROWD || i % 2);
  hub_world_close(&w);
}

/* A number of who left long ago is a place all the same. */
static void test_who_came_after_somebody_who_has_left(void **state) {
  (void)state;
  struct coho__presence_page page;
  open_crowd();
  coho__presence_look(w.hub, VIEW("room"), 0, &page, NULL);
  uint64_t second = page.members[1].number;
  assert_true(page.more);
  for (unsigned i = 0; i < CROWD - 1; i++)
    leave(i);
  hub_world_wait(&w, 2);
  hub_world_pass(&w, 2000);
  coho__presence_look(w.hub, VIEW("room"), second, &page, NULL);
  assert_int_equal(page.count, 1);
  assert_false(page.more);
  leave(CROWD - 1);
  hub_world_wait(&w, 2);
  hub_world_pass(&w, 4000);
  /* All were gone; numbers are not used again. */
  uint64_t last = page.members[0].number;
  enter(1);
  coho__presence_look(w.hub, VIEW("room"), last, &page, NULL);
  assert_int_equal(page.count, 1);
  hub_world_close(&w);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_all_in_order_of_arrival),
      cmocka_unit_test(test_large_members),
      cmocka_unit_test(test_what_is_told_may_use_the_hub),
      cmocka_unit_test(test_the_list_and_what_comes_after_it),
      cmocka_unit_test(test_who_came_after_somebody_who_has_left),
  };
  alloc_fail_at(0);
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  alloc_assert_none_live();
  return failed;
}
