/* coho sub: follows topics. */
#include "commands.h"
#include "subject.h"
#include "topic_url.h"

#include "base/utf8.h"
#include "topics/hub_frame.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
  MOST_SECONDS = 999999,
  TOPICS_MOST = 1000,
  ROOM = 128 * 1024, /* of the output, beyond messages */
  SAVE_MS = 1000,
  INFO_MOST = 1024
};

static const struct option options[] = {
    {.name = "since",
     .letter = 's',
     .kind = OPTION_STRING,
     .offset = offsetof(struct sub_values, since),
     .value = "POSITION",
     .text = "begin behind this position, such as k3f9.42, or with all that the hub holds: 0; by "
             "default with what comes from now on"},
    {.name = "last",
     .letter = 'l',
     .kind = OPTION_NUMBER,
     .offset = offsetof(struct sub_values, last),
     .value = "NUMBER",
     .text = "begin with the last so many messages that the hub holds",
     .min = 1,
     .max = 1000},
    {.name = "no-follow",
     .kind = OPTION_FLAG,
     .offset = offsetof(struct sub_values, no_follow),
     .text =
         "end with what the hub holds now, all of it unless --since, --last or --state say where "
         "to begin; with --presence, with who is here"},
    {.name = "state",
     .kind = OPTION_STRING,
     .offset = offsetof(struct sub_values, state),
     .value = "FILE",
     .text = "go on where the last run with this file ended; of a message that was printed just "
             "before a crash another one may be printed"},
    {.name = "count",
     .letter = 'n',
     .kind = OPTION_NUMBER,
     .offset = offsetof(struct sub_values, count),
     .value = "NUMBER",
     .text = "end after so many messages",
     .min = 1},
    {.name = "timeout",
     .kind = OPTION_SECONDS,
     .offset = offsetof(struct sub_values, timeout),
     .value = "SECONDS",
     .text = "end after so long, with status 1 if --count was not reached",
     .min = 1,
     .max = MOST_SECONDS * (uint64_t)1000},
    {.name = "exit-on-gap",
     .kind = OPTION_FLAG,
     .offset = offsetof(struct sub_values, exit_on_gap),
     .text = "end with status 1 when messages are missing"},
    {.name = "presence",
     .letter = 'p',
     .kind = OPTION_FLAG,
     .offset = offsetof(struct sub_values, presence),
     .text =
         "instead of messages print who is here, then who comes and goes: here, join, update or "
         "leave, the id, and what is known about it as JSON"},
    {.name = "as",
     .kind = OPTION_STRING,
     .offset = offsetof(struct sub_values, as),
     .value = "ID",
     .text = "be present in the topics under this id, which others see come and go"},
    {.name = "info",
     .kind = OPTION_STRING,
     .offset = offsetof(struct sub_values, info),
     .value = "JSON",
     .text = "what others are told about the id of --as, at most 1 KiB"},
    {.name = "verbose",
     .letter = 'v',
     .kind = OPTION_FLAG,
     .offset = offsetof(struct sub_values, verbose),
     .text = "print the topic and a space before each message"},
    {.name = "json",
     .letter = 'j',
     .kind = OPTION_FLAG,
     .offset = offsetof(struct sub_values, json),
     .text =
         "print each message as a line of JSON with topic, pattern, pos, and data or data64 "
         "(base64), each gap as one with \"op\":\"gap\", and who is present as one with event, id "
         "and info"},
    {.name = "hex",
     .kind = OPTION_FLAG,
     .offset = offsetof(struct sub_values, hex),
     .text = "print binary messages as lines of hexadecimal digits"},
    HUB_OPTIONS(offsetof(struct sub_values, hub)),
    {.name = NULL}};

struct sub {
  struct subscriber subscriber;
  coho_timer *deadline, *save;
  struct subject *subjects;
};

/* ---- life ----------------------------------------------------------------------------------- */

static void on_save(void *arg) { subscriber_save((struct subscriber *)arg); }

static void on_deadline(void *arg) {
  struct subscriber *s = (struct subscriber *)arg;
  hub_session_end(&s->session, s->values->count ? EXIT_PEER : EXIT_FINE);
}

static bool begin(struct sub *u, const char *const *topics) {
  struct subscriber *s = &u->subscriber;
  size_t count = 0;
  while (topics[count])
    count++;
  u->subjects = (struct subject *)calloc(count + 1, sizeof *u->subjects);
  u->deadline = coho_timer_new(s->session.loop, on_deadline, s);
  u->save = coho_timer_new(s->session.loop, on_save, s);
  if (!u->subjects || !u->deadline || !u->save) {
    hub_session_fail(&s->session, "out of memory");
    return false;
  }
  if (s->values->timeout) coho_timer_start(u->deadline, (uint32_t)s->values->timeout, 0);
  if (s->marks.path) coho_timer_start(u->save, SAVE_MS, SAVE_MS);
  for (size_t i = 0; i < count && !s->session.over; i++)
    subject_begin(&u->subjects[i], s, topics[i]);
  return !s->session.over;
}

static void print_all(struct subscriber *s) {
  while (!s->session.over) {
    (void)hub_session_turn(&s->session, -1, &s->sink);
    subscriber_flush(s);
  }
  /* After a signal a reader that does not read is not waited for. */
  if (!s->session.stopped) sink_flush_all(&s->sink);
  subscriber_save(s);
}

static int sub_to(const struct command *c, const struct sub_values *v, const char *url,
                  const char *const *topics) {
  struct sub u = {.subscriber = {.values = v}};
  struct subscriber *s = &u.subscriber;
  s->print = (struct print){.terminal = isatty(STDOUT_FILENO) == 1, .hex = v->hex};
  /* A message may grow sixfold by escapes, and another one may still wait. */
  sink_init(&s->sink, STDOUT_FILENO, 12 * (size_t)v->hub.max_message + ROOM);
  int status = bookmarks_open(&s->marks, c->name, v->state);
  if (!status) {
    if (!hub_session_start(&s->session, c, &v->hub, url, 0) && begin(&u, topics)) print_all(s);
    coho_timer_free(u.deadline);
    coho_timer_free(u.save);
    status = hub_session_finish(&s->session);
    free(u.subjects);
  }
  bookmarks_close(&s->marks);
  sink_free(&s->sink);
  return status;
}

/* ---- what can be known to be wrong before connecting ---------------------------------------- */

static int check_pattern(const struct command *c, const struct sub_values *v, const char *pattern) {
  const char *wrong = v->since       ? "--since"
                      : v->last      ? "--last"
                      : v->no_follow ? "--no-follow"
                      : v->state     ? "--state"
                      : v->presence  ? "--presence"
                      : v->as        ? "--as"
                                     : NULL;
  if (!wrong) return topic_check_pattern(c, pattern);
  return usage_error(c, "%s is for topics; '%s' is a pattern, which follows what comes from now on",
                     wrong, pattern);
}

static int check_topic(const struct command *c, const struct sub_values *v, const char *topic) {
  bool more = v->last || v->no_follow || v->presence || v->as;
  if (topic_is_pattern(topic)) return check_pattern(c, v, topic);
  if (more && topic_is_companion(topic))
    return usage_error(
        c,
        "--last, --no-follow, --presence and --as are for topics themselves, not for "
        "'%s'",
        topic);
  return topic_check(c, topic);
}

static int check_topics(const struct command *c, const struct sub_values *v,
                        const char *const *topics) {
  for (const char *const *t = topics; *t; t++) {
    int status = check_topic(c, v, *t);
    for (const char *const *u = topics; u < t && !status; u++)
      if (!strcmp(*t, *u)) status = usage_error(c, "the topic '%s' is there twice", *t);
    if (status) return status;
  }
  return 0;
}

static int check_member(const struct command *c, const struct sub_values *v) {
  size_t len = v->as ? strlen(v->as) : 0;
  if (v->info && !v->as) return usage_error(c, "--info is about the id of --as");
  if (v->as && (!len || len > COHO_HUB_MEMBER || !coho__utf8_valid(v->as, len)))
    return usage_error(c, "the id of --as has 1 to %d bytes of UTF-8", COHO_HUB_MEMBER);
  if (v->info && (strlen(v->info) > INFO_MOST || !coho__hub_is_json(coho__view_of(v->info))))
    return usage_error(c, "--info takes at most %d bytes of JSON, such as '{\"color\":\"red\"}'",
                       INFO_MOST);
  return 0;
}

static int check(const struct command *c, const struct sub_values *v, const char *const *topics) {
  coho_pos pos;
  if (v->since && coho_pos_parse(v->since, &pos))
    return usage_error(c, "--since takes 0 or a position such as k3f9.42, not '%s'", v->since);
  if (v->since && v->last) return usage_error(c, "--since and --last: which of them?");
  if (v->presence && (v->since || v->last || v->state))
    return usage_error(c,
                       "--presence begins with who is here: without --since, --last and --state");
  if (v->presence && v->hex) return usage_error(c, "--hex is for messages, not for --presence");
  int status = check_member(c, v);
  if (!status) status = check_topics(c, v, topics);
  if (status) return status;
  if (topics[0] && topics[1] && v->since && strcmp(v->since, "0") != 0)
    return usage_error(c, "--since is the position of one topic; --state keeps those of several");
  return 0;
}

static int run(const struct command *c, int argc, char **argv) {
  struct sub_values v = {.hub = {.max_message = HUB_MESSAGE}};
  char *args[1 + TOPICS_MOST + 1] = {NULL};
  const char *topics[TOPICS_MOST + 1] = {NULL};
  struct topic_url url = {.hub = NULL};
  size_t count;
  int status = option_parse(c, argc, argv, &v, args, &count);
  for (size_t i = 0; !status && i + 1 < count; i++)
    topics[i] = args[i + 1];
  if (!status)
    status =
        topic_url_read(c, args[0], topics[0] != NULL, "stands behind the URL of its hub", &url);
  if (!status && url.topic) topics[0] = url.topic;
  if (!status) status = check(c, &v, topics);
  if (!status) status = reach_check(c, &v.hub.reach, args[0], url.hub);
  if (!status) status = sub_to(c, &v, url.hub, topics);
  topic_url_free(&url);
  reach_free(&v.hub.reach);
  return status;
}

const struct command cmd_sub = {
    .name = "sub",
    .arguments = "URL [TOPIC...]",
    .summary = "follow topics",
    .description =
        "Prints the messages of a topic, whose URL is that of a hub with /t/ and the topic's name: "
        "localhost:8080/t/room/tea; or of several, behind the URL of their hub: localhost:8080/t/ "
        "room/tea room/coffee. Text with a line end behind it, in a pipe as it is and at a "
        "terminal "
        "escaped; binary as it is, or as a dump."
        "\n\n"
        "TOPIC may be a pattern, which follows all topics whose name matches, from now on: + is "
        "any "
        "one segment, # as the last the rest: localhost:8080/t/ 'room/#'. With --verbose the topic "
        "of each message is told."
        "\n\n"
        "What was said before: --since 0 begins with all that the hub holds, --last 10 with the "
        "last "
        "10 messages, and --no-follow ends there."
        "\n\n"
        "When the connection breaks, it comes back and goes on behind the last message. When "
        "messages are missing, that is told on standard error, with their number where it is "
        "known; a "
        "pattern cannot go on, so that an unknown number is missing then."
        "\n\n"
        "The exit status is 0 after an interrupt, --count messages, the end of --no-follow or the "
        "--timeout without --count; 1 "
        "when the first attempt to connect fails (but --persist), when the hub refuses, when "
        "--count messages did not come in time, or for --exit-on-gap; 2 for wrong options and "
        "files.",
    .options = options,
    .min_arguments = 1,
    .max_arguments = 1 + TOPICS_MOST,
    .run = run,
};
