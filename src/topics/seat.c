#include "topics/seat.h"

#include "base/clock.h"
#include "io/loop.h"
#include "topics/fault.h"
#include "topics/held.h"

enum {
  WARN_MS = 30 * 1000,
  LONG_MS =
      24 * 60 * 60 * 1000 /* what is further away is looked at again then: the clock may jump */
};

static void on_timer(struct coho__wheel_timer *timer) {
  struct coho__seat *s = COHO_CONTAINER_OF(timer, struct coho__seat, timer);
  if (coho__who_needs_token(s->mount, &s->who))
    coho__seat_close(s, COHO_ENOTOKEN);
  else
    coho__seat_retime(s);
}

static void set(struct coho__seat *s, uint64_t ms) {
  coho__loop_set_timer(coho_conn_loop(s->conn), &s->timer, COHO_MIN(ms, LONG_MS));
}

static void retime_token(struct coho__seat *s, uint64_t until) {
  uint64_t now = coho__clock_wall_ms();
  uint64_t left = until > now ? until - now : 0;
  if (!left) {
    coho__seat_close(s, COHO_EEXPIRED);
  } else if (left > WARN_MS) {
    s->warned = false;
    set(s, left - WARN_MS);
  } else {
    if (!s->warned) s->ops->expiring(s, (left + 999) / 1000);
    s->warned = true;
    set(s, left);
  }
}

void coho__seat_retime(struct coho__seat *s) {
  uint64_t until = coho__who_until(&s->who);
  if (coho__who_needs_token(s->mount, &s->who)) {
    if (s->mount->opt.auth_timeout_ms != UINT32_MAX) set(s, s->mount->opt.auth_timeout_ms);
  } else if (until == COHO_CLAIMS_NEVER) {
    coho__loop_stop_timer(coho_conn_loop(s->conn), &s->timer);
  } else {
    retime_token(s, until);
  }
}

void coho__seat_init(struct coho__seat *s, const struct coho__seat_ops *ops, struct coho__mount *m,
                     struct coho__who *who) {
  *s = (struct coho__seat){.ops = ops, .mount = coho__mount_ref(m), .who = *who};
  *who = (struct coho__who){NULL};
  coho__wheel_timer_init(&s->timer, on_timer);
}

void coho__seat_end(struct coho__seat *s) {
  if (s->conn) coho__loop_stop_timer(coho_conn_loop(s->conn), &s->timer);
  coho__held_free(s->held);
  s->held = NULL;
  coho__who_free(&s->who);
  coho__mount_unref(s->mount);
}

void coho__seat_close(struct coho__seat *s, int err) {
  const struct coho__fault *fault = coho__fault_of(err);
  (void)coho_close(s->conn, fault->close, fault->text);
}
