/* coho sub: follows topics. */
#include "bookmarks.h"
#include "commands.h"
#include "escape.h"
#include "hub_session.h"
#include "print.h"
#include "sink.h"
#include "topic_url.h"

#include "base/check.h"
#include "topics/json_text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MOST_SECONDS = 999999, TOPICS_MOST = 1000, FLUSH_BYTES = 64 * 1024, SAVE_MS = 1000 };

struct values {
  struct hub_options hub;
  const char *since;
  const char *state;
  uint64_t count;
  uint64_t timeout;
  bool exit_on_gap;
  bool json;
  bool hex;
};

static const struct option options[] = {
    {.name = "since",
     .letter = 's',
     .kind = OPTION_STRING,
     .offset = offsetof(struct values, since),
     .value = "POSITION",
     .text = "begin behind this position, such as k3f9.42, or with all that the hub holds: 0; by "
             "default with what comes from now on"},
    {.name = "state",
     .kind = OPTION_STRING,
     .offset = offsetof(struct values, state),
     .value = "FILE",
     .text = "go on where the last run with this file ended; of a message that was printed just "
             "before a crash another one may be printed"},
    {.name = "count",
     .letter = 'n',
     .kind = OPTION_NUMBER,
     .offset = offsetof(struct values, count),
     .value = "NUMBER",
     .text = "end after so many messages",
     .min = 1},
    {.name = "timeout",
     .kind = OPTION_SECONDS,
     .offset = offsetof(struct values, timeout),
     .value = "SECONDS",
     .text = "end after so long, with status 1 if --count was not reached",
     .min = 1,
     .max = MOST_SECONDS * (uint64_t)1000},
    {.name = "exit-on-gap",
     .kind = OPTION_FLAG,
     .offset = offsetof(struct values, exit_on_gap),
     .text = "end with status 1 when messages are missing"},
    {.name = "json",
     .letter = 'j',
     .kind = OPTION_FLAG,
     .offset = offsetof(struct values, json),
     .text = "print each message as a line of JSON with topic, pos, and data or data64 (base64), "
             "and each gap as one with \"op\":\"gap\""},
    {.name = "hex",
     .kind = OPTION_FLAG,
     .offset = offsetof(struct values, hex),
     .text = "print binary messages as lines of hexadecimal digits"},
    HUB_OPTIONS(offsetof(struct values, hub)),
    {.name = NULL}};

struct subscriber {
  struct hub_session session;
  const struct values *values;
  const char *const *topics; /* ended by NULL */
  coho_timer *deadline, *save;
  struct sink sink;
  struct print print;
  struct bookmarks marks;
  uint64_t printed;
  bool paused;
};

/* ---- positions ------------------------------------------------------------------------------ */

/* Only once what was printed has left. */
static void save(struct subscriber *s) {
  if (sink_waits(&s->sink) || s->sink.discard) return;
  int err = bookmarks_save(&s->marks);
  if (err) hub_session_fail(&s->session, "cannot write %s: %s", s->marks.path, strerror(err));
}

static void on_save(void *arg) { save((struct subscriber *)arg); }

/* ---- output --------------------------------------------------------------------------------- */

static void flush(struct subscriber *s) {
  sink_flush(&s->sink);
  if (s->sink.error) {
    /* A reader that is gone had enough. */
    if (s->sink.error == EPIPE)
      hub_session_end(&s->session, EXIT_PEER);
    else
      hub_session_fail(&s->session, "cannot write the output: %s", strerror(s->sink.error));
    s->sink.discard = true;
  }
  bool waits = sink_waits(&s->sink);
  if (waits == s->paused || !s->session.client) return;
  s->paused = waits;
  if (waits)
    coho_client_pause(s->session.client);
  else
    coho_client_resume(s->session.client);
}

static int put_json(struct coho__buf *out, const char *topic, coho_pos pos, coho_msg m) {
  char text[COHO_POS_MAX];
  struct coho__view payload = {m.data, m.len};
  bool is_text = m.type == COHO_TEXT;
  int err = coho__buf_printf(out, "{\"topic\":\"%s\",\"pos\":\"%s\",\"%s\":", topic,
                             coho_pos_text(pos, text, sizeof text), is_text ? "data" : "data64");
  if (!err)
    err = is_text ? coho__json_put_string(out, payload) : coho__json_put_base64(out, payload);
  return err ? err : coho__buf_append_str(out, "}");
}

/* JSON lets through what steers a terminal. */
static int print_json(struct subscriber *s, const char *topic, coho_pos pos, coho_msg m) {
  struct coho__buf line = COHO_BUF(s->sink.buf.max);
  int err = put_json(&line, topic, pos, m);
  struct coho__view text = {line.data, line.len};
  if (!err && s->print.terminal) err = escape_append(&s->sink.buf, text, ESCAPE_LINE);
  if (!err && !s->print.terminal) err = coho__buf_append(&s->sink.buf, text.data, text.len);
  coho__buf_release(&line);
  return err ? err : coho__buf_append_str(&s->sink.buf, "\n");
}

static struct subscriber *subscriber_of(const coho_follow *f) {
  return (struct subscriber *)coho_follow_user(f);
}

static void on_message(coho_follow *f, coho_pos pos, coho_msg m) {
  struct subscriber *s = subscriber_of(f);
  if (s->session.over) return;
  int err = s->values->json ? print_json(s, coho_follow_topic(f), pos, m)
                            : print_message(&s->sink.buf, &s->print, &m);
  if (err) {
    hub_session_fail(&s->session, "cannot show a message of %zu bytes: %s", m.len,
                     coho_strerror(err));
    return;
  }
  s->printed++;
  bookmarks_set(&s->marks, coho_follow_topic(f), pos);
  if (s->values->count && s->printed >= s->values->count) hub_session_end(&s->session, EXIT_FINE);
  if (s->sink.buf.len - s->sink.at > FLUSH_BYTES) flush(s);
}

static void on_gap(coho_follow *f, uint64_t lost, coho_pos pos) {
  struct subscriber *s = subscriber_of(f);
  char at[COHO_POS_MAX], number[24] = "null";
  bool known = lost != COHO_LOST_UNKNOWN;
  if (s->session.over) return;
  if (known) (void)snprintf(number, sizeof number, "%llu", (unsigned long long)lost);
  if (s->values->json)
    (void)coho__buf_printf(&s->sink.buf,
                           "{\"op\":\"gap\",\"topic\":\"%s\",\"lost\":%s,\"pos\":\"%s\"}\n",
                           coho_follow_topic(f), number, coho_pos_text(pos, at, sizeof at));
  fprintf(stderr, "coho sub: %s: %s %s missing up to %s\n", coho_follow_topic(f),
          known ? number : "an unknown number of", lost == 1 ? "message is" : "messages are",
          coho_pos_text(pos, at, sizeof at));
  bookmarks_set(&s->marks, coho_follow_topic(f), pos);
  if (s->values->exit_on_gap) hub_session_end(&s->session, EXIT_PEER);
}

static void on_start(coho_follow *f) {
  struct subscriber *s = subscriber_of(f);
  coho_pos pos;
  if (!s->session.over && !coho_follow_pos(f, &pos))
    bookmarks_set(&s->marks, coho_follow_topic(f), pos);
}

static void on_error(coho_follow *f, int err, const char *text) {
  struct subscriber *s = subscriber_of(f);
  char words[512];
  bool for_now = err == COHO_EFULL || err == COHO_ETOOMANY || err == COHO_EUNAVAILABLE;
  escape_line(words, sizeof words, coho__view_of(text));
  if (for_now)
    hub_session_note(&s->session, "%s: %s; asking again later", coho_follow_topic(f), words);
  else
    hub_session_fail(&s->session, "%s: %s", coho_follow_topic(f), words);
}

static void on_deadline(void *arg) {
  struct subscriber *s = (struct subscriber *)arg;
  hub_session_end(&s->session, s->values->count ? EXIT_PEER : EXIT_FINE);
}

/* ---- life ----------------------------------------------------------------------------------- */

static int follow(struct subscriber *s, const char *topic) {
  const char *mark = bookmarks_get(&s->marks, topic);
  coho_follow_options opt = {.on_message = on_message,
                             .on_gap = on_gap,
                             .on_start = on_start,
                             .on_error = on_error,
                             .user = s,
                             .since = mark ? mark : s->values->since};
  int err = coho_client_follow(s->session.client, topic, &opt, NULL);
  if (err) hub_session_fail(&s->session, "%s: %s", topic, coho_strerror(err));
  return err;
}

static int begin(struct subscriber *s) {
  s->deadline = coho_timer_new(s->session.loop, on_deadline, s);
  s->save = coho_timer_new(s->session.loop, on_save, s);
  if (!s->deadline || !s->save) {
    hub_session_fail(&s->session, "out of memory");
    return COHO_ENOMEM;
  }
  if (s->values->timeout) coho_timer_start(s->deadline, (uint32_t)s->values->timeout, 0);
  if (s->marks.path) coho_timer_start(s->save, SAVE_MS, SAVE_MS);
  int err = 0;
  for (const char *const *t = s->topics; *t && !err; t++)
    err = follow(s, *t);
  return err;
}

static void print_all(struct subscriber *s) {
  while (!s->session.over) {
    (void)hub_session_turn(&s->session, -1, &s->sink);
    flush(s);
  }
  /* After a signal a reader that does not read is not waited for. */
  if (!s->session.stopped) sink_flush_all(&s->sink);
  save(s);
}

static int sub_to(const struct command *c, const struct values *v, const char *url,
                  const char *const *topics) {
  struct subscriber s = {.values = v, .topics = topics};
  s.print = (struct print){.terminal = isatty(STDOUT_FILENO) == 1, .hex = v->hex};
  /* A message may grow sixfold by escapes, and another one may still wait. */
  sink_init(&s.sink, STDOUT_FILENO, 12 * (size_t)v->hub.max_message + 2 * FLUSH_BYTES);
  int status = bookmarks_open(&s.marks, c->name, v->state);
  if (!status) {
    if (!hub_session_start(&s.session, c, &v->hub, url, 0) && !begin(&s)) print_all(&s);
    coho_timer_free(s.deadline);
    coho_timer_free(s.save);
    status = hub_session_finish(&s.session);
  }
  bookmarks_close(&s.marks);
  sink_free(&s.sink);
  return status;
}

static int check(const struct command *c, const struct values *v, const char *const *topics) {
  coho_pos pos;
  if (v->since && coho_pos_parse(v->since, &pos))
    return usage_error(c, "--since takes 0 or a position such as k3f9.42, not '%s'", v->since);
  for (const char *const *t = topics; *t; t++) {
    int status = topic_check(c, *t);
    for (const char *const *u = topics; u < t && !status; u++)
      if (!strcmp(*t, *u)) status = usage_error(c, "the topic '%s' is there twice", *t);
    if (status) return status;
  }
  if (topics[0] && topics[1] && v->since && strcmp(v->since, "0") != 0)
    return usage_error(c, "--since is the position of one topic; --state keeps those of several");
  return 0;
}

static int run(const struct command *c, int argc, char **argv) {
  struct values v = {.hub = {.max_message = HUB_MESSAGE}};
  char *args[1 + TOPICS_MOST + 1] = {NULL};
  const char *topics[TOPICS_MOST + 1] = {NULL};
  struct topic_url url = {.hub = NULL};
  size_t count;
  int status = option_parse(c, argc, argv, &v, args, &count);
  for (size_t i = 0; !status && i + 1 < count; i++)
    topics[i] = args[i + 1];
  if (!status) status = topic_url_read(c, args[0], topics[0] != NULL, &url);
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
        "When the connection breaks, it comes back and goes on behind the last message. When "
        "messages are missing, that is told on standard error, with their number where it is known."
        "\n\n"
        "The exit status is 0 after an interrupt, --count messages or the --timeout without it; 1 "
        "when the first attempt to connect fails (but --persist), when the hub refuses, when "
        "--count messages did not come in time, or for --exit-on-gap; 2 for wrong options and "
        "files.",
    .options = options,
    .min_arguments = 1,
    .max_arguments = 1 + TOPICS_MOST,
    .run = run,
};
