#include "followed.h"

#include "support/alloc_fail.h"

#include <string.h>

struct fake_hub fake;
struct ear ear;

int followed_setup(void **state) {
  (void)state;
  alloc_fail_at(0);
  memset(&ear, 0, sizeof ear);
  fake_hub_open(&fake);
  return 0;
}

int followed_teardown(void **state) {
  (void)state;
  followed_end();
  fake_hub_close(&fake);
  alloc_assert_none_live();
  return 0;
}

void followed_again(void) {
  (void)followed_teardown(NULL);
  (void)followed_setup(NULL);
}

void followed_open(const coho_client_options *opt) {
  ear_connect(&ear, &fake, opt);
  ear_follow(&ear, "a", NULL);
  UNTIL(&fake.world, ear.heard[0]);
}

void followed_end(void) {
  coho_client_free(ear.client);
  ear.client = NULL;
}

void followed_heard(const char *what) { assert_string_equal(ear.heard, what); }

bool followed_is(enum coho_client_state state) {
  return coho_client_status(ear.client) == (uint32_t)state;
}
