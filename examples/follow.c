/*
 * Follows a topic of a hub and publishes to it: follow ws://127.0.0.1:8080/t/ room/tea [POSITION]
 * Whatever happens to the connection, each message comes once, or a gap says how many are missing.
 */
#include <coho/client.h>
#include <stdio.h>

static void heard(coho_follow *f, coho_pos pos, coho_msg m) {
  char at[COHO_POS_MAX];
  printf("%s %s: %.*s\n", coho_follow_topic(f), coho_pos_text(pos, at, sizeof at), (int)m.len,
         m.data);
}

static void missed(coho_follow *f, uint64_t lost, coho_pos pos) {
  (void)pos;
  if (lost == COHO_LOST_UNKNOWN)
    printf("%s: some messages are missing\n", coho_follow_topic(f));
  else
    printf("%s: %llu messages are missing\n", coho_follow_topic(f), (unsigned long long)lost);
}

static void changed(coho_client *c, uint32_t state, const coho_ending *how) {
  if (state == COHO_CLIENT_WAITING)
    printf("%s; again in %u ms\n", coho_strerror(how->err), coho_client_wait_ms(c));
}

int main(int argc, char **argv) {
  coho_client_options opt = {.on_state = changed};
  coho_follow_options follow = {
      .on_message = heard, .on_gap = missed, .since = argc > 3 ? argv[3] : NULL};
  coho_loop *loop = coho_loop_new();
  coho_client *c = NULL;
  int err = argc < 3 ? COHO_EINVAL : loop ? 0 : COHO_ENOMEM;
  (void)setvbuf(stdout, NULL, _IOLBF, 0); /* in a pipe each line comes at once, too */
  if (!err) err = coho_client_new(loop, argv[1], &opt, &c);
  if (!err) err = coho_client_follow(c, argv[2], &follow, NULL);
  if (!err) err = coho_client_publish(c, argv[2], coho_text("hello from follow.c"), NULL);
  if (!err) err = coho_loop_run(loop);
  if (err) fprintf(stderr, "follow: %s\n", coho_strerror(err));
  coho_client_free(c);
  coho_loop_free(loop);
  return err != 0;
}
