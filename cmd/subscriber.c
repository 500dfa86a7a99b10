#include "subscriber.h"

#include "escape.h"

#include "topics/json_text.h"

#include <errno.h>
#include <string.h>

enum { FLUSH_BYTES = 64 * 1024 };

/* ---- the end of a line ---------------------------------------------------------------------- */

static void count_line(struct subscriber *s) {
  s->printed++;
  if (s->values->count && s->printed >= s->values->count) hub_session_end(&s->session, EXIT_FINE);
  if (s->sink.buf.len - s->sink.at > FLUSH_BYTES) subscriber_flush(s);
}

/* JSON lets through what steers a terminal. */
static int print_line(struct subscriber *s, struct coho__view text) {
  int err = s->print.terminal ? escape_append(&s->sink.buf, text, ESCAPE_LINE)
                              : coho__buf_append(&s->sink.buf, text.data, text.len);
  return err ? err : coho__buf_append_str(&s->sink.buf, "\n");
}

/* err: of putting it together. */
static int print_buf(struct subscriber *s, struct coho__buf *line, int err) {
  if (!err) err = print_line(s, (struct coho__view){line->data, line->len});
  coho__buf_release(line);
  return err;
}

/* ---- messages ------------------------------------------------------------------------------- */

/* "topic":"a","pattern":"+", of which what is not there is left out. Names need no escapes. */
static int put_subject(struct coho__buf *out, const struct sub_subject *of) {
  int err = of->topic ? coho__buf_printf(out, "\"topic\":\"%s\",", of->topic) : 0;
  if (!err && of->pattern) err = coho__buf_printf(out, "\"pattern\":\"%s\",", of->pattern);
  return err;
}

static int print_json(struct subscriber *s, const struct sub_subject *of, coho_pos pos,
                      coho_msg m) {
  char text[COHO_POS_MAX];
  struct coho__buf line = COHO_BUF(s->sink.buf.max);
  struct coho__view payload = {m.data, m.len};
  bool is_text = m.type == COHO_TEXT;
  int err = coho__buf_append_str(&line, "{");
  if (!err) err = put_subject(&line, of);
  if (!err)
    err = coho__buf_printf(&line, "\"pos\":\"%s\",\"%s\":", coho_pos_text(pos, text, sizeof text),
                           is_text ? "data" : "data64");
  if (!err)
    err = is_text ? coho__json_put_string(&line, payload) : coho__json_put_base64(&line, payload);
  if (!err) err = coho__buf_append_str(&line, "}");
  return print_buf(s, &line, err);
}

static int print_plain(struct subscriber *s, const char *topic, const coho_msg *m) {
  int err = s->values->verbose ? coho__buf_printf(&s->sink.buf, "%s ", topic) : 0;
  return err ? err : print_message(&s->sink.buf, &s->print, m);
}

void subscriber_message(struct subscriber *s, const struct sub_subject *of, coho_pos pos,
                        coho_msg m) {
  int err = m.len > s->values->hub.max_message ? COHO_ETOOBIG : 0;
  if (!err) err = s->values->json ? print_json(s, of, pos, m) : print_plain(s, of->topic, &m);
  if (err) {
    hub_session_fail(&s->session, "cannot show a message of %zu bytes: %s", m.len,
                     coho_strerror(err));
    return;
  }
  if (!of->pattern) bookmarks_set(&s->marks, of->topic, pos);
  count_line(s);
}

/* ---- gaps ----------------------------------------------------------------------------------- */

static int put_gap(struct coho__buf *out, const struct sub_subject *of, uint64_t lost,
                   coho_pos pos) {
  char at[COHO_POS_MAX];
  int err = coho__buf_append_str(out, "{\"op\":\"gap\",");
  if (!err) err = put_subject(out, of);
  if (!err && lost == COHO_LOST_UNKNOWN) err = coho__buf_append_str(out, "\"lost\":null");
  if (!err && lost != COHO_LOST_UNKNOWN)
    err = coho__buf_printf(out, "\"lost\":%llu", (unsigned long long)lost);
  if (!err && of->topic)
    err = coho__buf_printf(out, ",\"pos\":\"%s\"", coho_pos_text(pos, at, sizeof at));
  return err ? err : coho__buf_append_str(out, "}");
}

static void tell_gap(const struct sub_subject *of, uint64_t lost, coho_pos pos) {
  char at[COHO_POS_MAX], number[24] = "an unknown number of";
  if (lost != COHO_LOST_UNKNOWN)
    (void)snprintf(number, sizeof number, "%llu", (unsigned long long)lost);
  const char *are = lost == 1 ? "message is" : "messages are";
  if (of->topic)
    fprintf(stderr, "coho sub: %s: %s %s missing up to %s\n", of->topic, number, are,
            coho_pos_text(pos, at, sizeof at));
  else
    fprintf(stderr, "coho sub: %s: %s %s missing, since the connection broke\n", of->pattern,
            number, are);
}

void subscriber_gap(struct subscriber *s, const struct sub_subject *of, uint64_t lost,
                    coho_pos pos) {
  struct coho__buf line = COHO_BUF(4096);
  if (s->values->json) (void)print_buf(s, &line, put_gap(&line, of, lost, pos));
  tell_gap(of, lost, pos);
  if (of->topic && !of->pattern) bookmarks_set(&s->marks, of->topic, pos);
  if (s->values->exit_on_gap) hub_session_end(&s->session, EXIT_PEER);
}

/* ---- who is present ------------------------------------------------------------------------- */

static int put_event(struct coho__buf *out, const char *topic, const struct sub_event *e) {
  char at[COHO_POS_MAX];
  int err = coho__buf_printf(out, "{\"topic\":\"%s\",\"event\":\"%s\",\"id\":", topic, e->word);
  if (!err) err = coho__json_put_string(out, coho__view_of(e->id));
  if (!err) err = coho__buf_printf(out, ",\"info\":%s", e->info ? e->info : "null");
  if (!err && e->pos)
    err = coho__buf_printf(out, ",\"pos\":\"%s\"", coho_pos_text(*e->pos, at, sizeof at));
  return err ? err : coho__buf_append_str(out, "}");
}

/* An id may be any text, which stays in its line. */
static int put_plain_event(struct subscriber *s, struct coho__buf *out, const char *topic,
                           const struct sub_event *e) {
  bool verbose = s->values->verbose;
  int err = coho__buf_printf(out, "%s%s%s ", verbose ? topic : "", verbose ? " " : "", e->word);
  if (!err) err = escape_append(out, coho__view_of(e->id), ESCAPE_LINE);
  return !err && e->info ? coho__buf_printf(out, " %s", e->info) : err;
}

void subscriber_event(struct subscriber *s, const char *topic, const struct sub_event *e) {
  struct coho__buf line = COHO_BUF(64 * 1024);
  int err = s->values->json ? put_event(&line, topic, e) : put_plain_event(s, &line, topic, e);
  err = print_buf(s, &line, err);
  if (err)
    hub_session_fail(&s->session, "cannot show who is present: %s", coho_strerror(err));
  else
    count_line(s);
}

/* ---- output --------------------------------------------------------------------------------- */

void subscriber_flush(struct subscriber *s) {
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

void subscriber_save(struct subscriber *s) {
  if (sink_waits(&s->sink) || s->sink.discard) return;
  int err = bookmarks_save(&s->marks);
  if (err) hub_session_fail(&s->session, "cannot write %s: %s", s->marks.path, strerror(err));
}
