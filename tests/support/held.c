#include "support/held.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

struct held held;

static void note(coho_request *r, void *ctx, char which) {
  size_t len = strlen(held.order);
  assert_ptr_equal(ctx, &held);
  assert_string_equal(coho_request_path(r), "/hold");
  if (which == 'g') held.r = NULL;
  if (len + 1 < sizeof held.order) {
    held.order[len] = which;
    held.order[len + 1] = '\0';
  }
  if (held.called) held.called(r, which);
}

static void on_drain(coho_request *r, void *ctx) { note(r, ctx, 'd'); }
static void on_stop(coho_request *r, void *ctx) { note(r, ctx, 's'); }
static void on_gone(coho_request *r, void *ctx) { note(r, ctx, 'g'); }

const coho_late held_callbacks = {on_drain, on_stop, on_gone, &held};

void held_serve(coho_request *r, void *user) {
  (void)user;
  assert_int_equal(coho_request_defer(r, &held_callbacks), 0);
  held.r = r;
}

void held_reset(void) { held = (struct held){0}; }

void held_begin(void) { assert_int_equal(coho_reply_begin(held.r, 200, "text/plain"), 0); }

void held_answered(void) { held.r = NULL; }
