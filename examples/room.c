/*
 * Comes into a room, as others see it: room ws://127.0.0.1:8080/t/ room/tea ann
 * Tells what was said last and who is here, then what is said and who comes and goes.
 */
#include <coho/client.h>
#include <stdio.h>

struct room {
  coho_client *client;
  const char *topic;
  const char *me;
  char companion[300];
};

static void said(void *room, coho_pos pos, coho_msg m) {
  (void)room;
  (void)pos;
  printf("%.*s\n", (int)m.len, m.data);
}

static void heard(coho_follow *f, coho_pos pos, coho_msg m) { said(coho_follow_user(f), pos, m); }

static void here(void *room, const char *id, const char *info) {
  (void)room;
  (void)info;
  printf("* %s is here\n", id);
}

static void moved(coho_follow *f, coho_pos pos, uint32_t event, const char *id, const char *info) {
  (void)f;
  (void)pos;
  (void)info;
  if (event != COHO_UPDATE) printf("* %s %s\n", id, event == COHO_JOIN ? "comes" : "leaves");
}

/* Both go on where the answer ended, so that nothing is told twice, and nothing is missed. */

static void follow(struct room *r, int err, coho_pos pos) {
  char since[COHO_POS_MAX];
  coho_follow_options opt = {.on_message = heard,
                             .since = coho_pos_text(pos, since, sizeof since),
                             .as = r->me,
                             .user = r};
  if (!err) err = coho_client_follow(r->client, r->topic, &opt, NULL);
  if (err) fprintf(stderr, "room: %s\n", coho_strerror(err));
}

static void watch(struct room *r, int err, coho_pos pos) {
  char since[COHO_POS_MAX];
  coho_follow_options opt = {.on_presence = moved,
                             .since = coho_pos_text(pos, since, sizeof since)};
  if (!err) err = coho_client_follow(r->client, r->companion, &opt, NULL);
  if (err) fprintf(stderr, "room: %s\n", coho_strerror(err));
}

static void said_all(void *room, int err, coho_pos pos) { follow((struct room *)room, err, pos); }
static void here_all(void *room, int err, coho_pos pos) { watch((struct room *)room, err, pos); }

int main(int argc, char **argv) {
  struct room r = {.topic = argc > 2 ? argv[2] : "", .me = argc > 3 ? argv[3] : NULL};
  coho_client_history_options last = {.on_message = said, .done = said_all, .ctx = &r, .limit = 10};
  coho_client_presence_options who = {.on_member = here, .done = here_all, .ctx = &r};
  coho_loop *loop = coho_loop_new();
  int err = argc < 4 ? COHO_EINVAL : loop ? 0 : COHO_ENOMEM;
  (void)setvbuf(stdout, NULL, _IOLBF, 0); /* in a pipe each line comes at once, too */
  (void)snprintf(r.companion, sizeof r.companion, "%s/presence", r.topic);
  if (!err) err = coho_client_new(loop, argv[1], NULL, &r.client);
  if (!err) err = coho_client_history(r.client, r.topic, &last);
  if (!err) err = coho_client_presence(r.client, r.topic, &who);
  if (!err) err = coho_loop_run(loop);
  if (err) fprintf(stderr, "room: %s\n", coho_strerror(err));
  coho_client_free(r.client);
  coho_loop_free(loop);
  return err != 0;
}
