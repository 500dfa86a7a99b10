#include "steps.h"

#include "frame.h"
#include "options.h"

#include <stdlib.h>
#include <string.h>

static struct step *add(struct builder *b, enum step_kind kind) {
  return case_step(b->c, kind, b->line);
}

static bool wrong(struct builder *b, const char *why) {
  b->why = why;
  return false;
}

static bool at_end(struct builder *b) {
  return tokens_peek(&b->tokens) ? wrong(b, "there is something behind the end of this") : true;
}

/* The next word as text that the step keeps, or NULL. */
static char *take_text(struct builder *b) {
  const struct token *token = tokens_take(&b->tokens);
  return token ? copy_text(token_text(token), token->data.len) : NULL;
}

static bool take_error(struct builder *b, int *err) {
  const struct token *token = tokens_peek(&b->tokens);
  if (!token || token->quoted || !error_named(token_text(token), err)) return false;
  tokens_take(&b->tokens);
  return true;
}

/* ---- bytes --------------------------------------------------------------------------------- */

/* Lines of input behind each other are one input: cuts go through all of it. */
static struct step *input_step(struct builder *b) {
  struct wire_case *c = b->c;
  struct step *last = c->count ? &c->steps[c->count - 1] : NULL;
  return last && last->kind == STEP_INPUT && c->count > c->prelude ? last : add(b, STEP_INPUT);
}

static bool input(struct builder *b, size_t times) {
  struct step *s = input_step(b);
  struct marks marks = {s->marks, s->mark_count};
  size_t start = b->tokens.next;
  bool good = true;
  for (size_t i = 0; good && i < times; i++) {
    b->tokens.next = start;
    good = items_build(&b->tokens, &b->peer, &s->data, &marks, &b->why);
  }
  s->marks = marks.at;
  s->mark_count = marks.count;
  return good;
}

/* `packed`, or packed=BITS. */
static bool packed_window(const char *word, unsigned *window) {
  uint64_t n = 15;
  if (strcmp(word, "packed") != 0 && !word_number(word, "packed=", &n)) return false;
  *window = n >= 8 && n <= 15 ? (unsigned)n : 0;
  return *window;
}

/* `text packed ITEMS`, also with a window, packed=BITS, and what the message may be: its bytes are the
   library's matter, so their meaning is compared. */
static bool packed_output(struct builder *b) {
  struct step *s = add(b, STEP_PACKED);
  struct tokens *t = &b->tokens;
  s->code = items_type(t);
  s->packed.most = SIZE_MAX;
  s->packed.masked = b->engine.masks;
  if (s->packed.masked) randomness_mask(b->engine.frames++, s->packed.key);
  if (!packed_window(token_text(tokens_take(t)), &s->packed.window))
    return wrong(b, "packed= wants 8 to 15");
  s->packed.follows = tokens_take_word(t, "follows");
  const struct token *word = tokens_peek(t);
  uint64_t most;
  if (word && !word->quoted && word_number(token_text(word), "most=", &most)) {
    s->packed.most = (size_t)most;
    tokens_take(t);
  }
  return items_payload(t, &s->data, &b->why);
}

static bool is_packed(struct tokens *t) {
  const struct token *type = tokens_peek(t), *word = t->next + 1 < t->count ? type + 1 : NULL;
  return word && !word->quoted && (token_is(type, "text") || token_is(type, "binary")) &&
         strncmp(token_text(word), "packed", 6) == 0;
}

static bool output(struct builder *b, size_t times) {
  if (is_packed(&b->tokens)) return packed_output(b);
  struct step *s = add(b, STEP_OUTPUT);
  size_t start = b->tokens.next;
  for (size_t i = 0; i < times; i++) {
    b->tokens.next = start;
    if (!items_build(&b->tokens, &b->engine, &s->data, NULL, &b->why)) return false;
  }
  return true;
}

static void mark(struct step *s) {
  struct marks marks = {s->marks, s->mark_count};
  marks_add(&marks, s->data.len);
  s->marks = marks.at;
  s->mark_count = marks.count;
}

static bool input_line(struct builder *b) {
  struct step *s = input_step(b);
  mark(s);
  if (!unescape(&s->data, b->raw, strlen(b->raw))) return wrong(b, "bad escape");
  bytes_text(&s->data, "\r\n");
  return true;
}

static bool output_line(struct builder *b) {
  struct step *s = add(b, STEP_OUTPUT);
  if (!unescape(&s->data, b->raw, strlen(b->raw))) return wrong(b, "bad escape");
  bytes_text(&s->data, "\r\n");
  return true;
}

/* ---- heads --------------------------------------------------------------------------------- */

static bool edit_head(struct builder *b, const char *word) {
  struct bytes checked = {NULL, 0, 0};
  bool good = unescape(&checked, b->raw, strlen(b->raw));
  bytes_free(&checked);
  if (!good) return wrong(b, "bad escape");
  if (strcmp(word, "line") == 0)
    head_line(&b->head, b->raw);
  else if (strcmp(word, "also") == 0)
    good = head_also(&b->head, b->raw);
  else if (strcmp(word, "with") == 0)
    good = head_with(&b->head, b->raw);
  else
    good = head_without(&b->head, b->raw);
  return good || wrong(b, "too many lines, or the head has no such field");
}

static bool send_head(struct builder *b) {
  struct step *s = input_step(b);
  mark(s);
  head_write(&b->head, &s->data);
  head_reset(&b->head, b->c->role);
  mark(s);
  return at_end(b);
}

static bool expect_head(struct builder *b, const char *word) {
  struct step *s = add(b, STEP_HEAD);
  if (strcmp(word, "asks") == 0) {
    struct bytes line = {NULL, 0, 0};
    bool good = unescape(&line, b->raw, strlen(b->raw));
    bytes_add(&line, "\r\n", 3);
    s->text = (char *)line.data;
    return good || wrong(b, "bad escape");
  }
  uint64_t status;
  if (!tokens_take_number(&b->tokens, &status)) return wrong(b, "answer wants an HTTP status");
  s->code = (uint32_t)status;
  s->flags = tokens_take_word(&b->tokens, "no-body");
  return at_end(b);
}

static bool expect_field(struct builder *b, const char *word) {
  enum step_kind kind = strcmp(word, "field") == 0   ? STEP_FIELD
                        : strcmp(word, "token") == 0 ? STEP_TOKEN
                                                     : STEP_NO_FIELD;
  add(b, kind)->text = copy_text(b->raw, strlen(b->raw));
  if (kind != STEP_NO_FIELD && !strchr(b->raw, ':')) return wrong(b, "a field is `Name: value`");
  return true;
}

/* ---- events -------------------------------------------------------------------------------- */

static bool data_event(struct builder *b, struct happening *h, uint32_t type) {
  h->type = type;
  if (type == COHO_MESSAGE && !(h->shape = items_type(&b->tokens)))
    return wrong(b, "a message is text or binary");
  h->some = tokens_take_word(&b->tokens, "some");
  h->rest = tokens_take_word(&b->tokens, "rest");
  return items_payload(&b->tokens, &h->data, &b->why);
}

static bool close_event(struct builder *b, struct happening *h) {
  uint64_t code;
  h->type = COHO_CLOSE;
  if (!tokens_take_number(&b->tokens, &code)) return wrong(b, "close wants a code");
  h->code = (uint32_t)code;
  const struct token *reason = tokens_peek(&b->tokens);
  if (reason && reason->quoted) {
    bytes_add(&h->data, reason->data.data, reason->data.len);
    bytes_repeat(&h->data, 0, reason->times);
    tokens_take(&b->tokens);
  }
  take_error(b, &h->err);
  return at_end(b);
}

static bool error_event(struct builder *b, struct happening *h) {
  uint64_t status = 0;
  h->type = COHO_ERROR;
  if (!take_error(b, &h->err)) return wrong(b, "no such error in coho/error.h");
  tokens_take_number(&b->tokens, &status);
  h->status = (uint32_t)status;
  return at_end(b);
}

static bool request_event(struct builder *b, struct happening *h) {
  const struct token *target = tokens_take(&b->tokens);
  h->type = COHO_REQUEST;
  h->any = !target;
  if (target) bytes_add(&h->data, target->data.data, target->data.len);
  return at_end(b);
}

static bool one_event(struct builder *b) {
  static const char unknown[] =
      "events are request, open, message, part, ping, pong, error and close";
  struct happening *h = &add(b, STEP_EVENT)->event;
  struct tokens *t = &b->tokens;
  h->more = tokens_take_word(t, "part");
  if (tokens_take_word(t, "message")) return data_event(b, h, COHO_MESSAGE);
  if (h->more) return data_event(b, h, COHO_MESSAGE);
  if (tokens_take_word(t, "ping")) return data_event(b, h, COHO_PING);
  if (tokens_take_word(t, "pong")) return data_event(b, h, COHO_PONG);
  if (tokens_take_word(t, "close")) return close_event(b, h);
  if (tokens_take_word(t, "error")) return error_event(b, h);
  if (tokens_take_word(t, "request")) return request_event(b, h);
  if (!tokens_take_word(t, "open")) return wrong(b, unknown);
  h->type = COHO_OPEN;
  return at_end(b);
}

static bool events(struct builder *b, size_t times) {
  size_t start = b->tokens.next;
  for (size_t i = 0; i < times; i++) {
    b->tokens.next = start;
    if (!one_event(b)) return false;
  }
  return true;
}

/* The connection failed: COHO_ERROR, then COHO_CLOSE without the peer's code. */
static void add_failure(struct builder *b, int err, uint32_t status) {
  struct step *error = add(b, STEP_EVENT);
  error->event.type = COHO_ERROR;
  error->event.err = err;
  error->event.status = status;
  struct step *closed = add(b, STEP_EVENT);
  closed->event.type = COHO_CLOSE;
  closed->event.err = err;
  closed->event.code = 1006;
  add(b, STEP_FINISHED);
}

/* `fails ERROR`: with a Close frame whose code is the error's, if it has one. */
static bool fails(struct builder *b) {
  int err;
  if (!take_error(b, &err)) return wrong(b, "no such error in coho/error.h");
  int code = coho_error_answer(err);
  add_failure(b, err, 0);
  if (code >= 1000) {
    struct bytes body = {NULL, 0, 0};
    struct frame f;
    memset(&f, 0, sizeof f);
    f.first = 0x88;
    f.masked = b->engine.masks;
    if (f.masked) randomness_mask(b->engine.frames++, f.key);
    bytes_byte(&body, (unsigned)code >> 8);
    bytes_byte(&body, (unsigned)code & 0xff);
    frame_add(&add(b, STEP_OUTPUT)->data, &f, &body);
    bytes_free(&body);
  }
  return at_end(b);
}

/* `refused ERROR [STATUS]`: the server's answer to a bad request. */
static bool refused(struct builder *b) {
  int err;
  uint64_t status;
  if (!take_error(b, &err)) return wrong(b, "no such error in coho/error.h");
  if (!tokens_take_number(&b->tokens, &status)) status = (uint64_t)coho_error_answer(err);
  add(b, STEP_HEAD)->code = (uint32_t)status;
  add_failure(b, err, 0);
  return at_end(b);
}

/* `gives-up ERROR [STATUS]`: the client does not like the answer, and says nothing more. */
static bool gives_up(struct builder *b) {
  int err;
  uint64_t status = 101;
  if (!take_error(b, &err)) return wrong(b, "no such error in coho/error.h");
  tokens_take_number(&b->tokens, &status);
  add_failure(b, err, (uint32_t)status);
  return at_end(b);
}

static void add_opened(struct builder *b) {
  if (b->c->role == COHO_SERVER) {
    struct happening *request = &add(b, STEP_EVENT)->event;
    request->type = COHO_REQUEST;
    request->any = true;
    add(b, STEP_HEAD)->code = 101;
  }
  add(b, STEP_EVENT)->event.type = COHO_OPEN;
}

static bool opened(struct builder *b) {
  add_opened(b);
  return at_end(b);
}

/* ---- calls --------------------------------------------------------------------------------- */

static bool call_result(struct builder *b, struct step *s) {
  if (tokens_take_word(&b->tokens, "=") && !take_error(b, &s->err))
    return wrong(b, "no such error in coho/error.h");
  return at_end(b);
}

/* Payload up to a `=`. */
static bool call_payload(struct builder *b, struct step *s) {
  struct tokens *t = &b->tokens;
  size_t count = t->count, end = t->next;
  while (end < count && !token_is(&t->list[end], "="))
    end++;
  t->count = end;
  bool good = items_payload(t, &s->data, &b->why);
  t->count = count;
  return good && call_result(b, s);
}

static bool call_send(struct builder *b, struct step *s) {
  s->call = CALL_SEND;
  s->code = items_type(&b->tokens);
  if (!s->code && !tokens_take_word(&b->tokens, "cont"))
    return wrong(b, "send text, binary or cont");
  if (tokens_take_word(&b->tokens, "more")) s->flags |= COHO_MORE;
  if (tokens_take_word(&b->tokens, "plain")) s->flags |= COHO_PLAIN;
  return call_payload(b, s);
}

static bool call_close(struct builder *b, struct step *s) {
  uint64_t code;
  s->call = CALL_CLOSE;
  if (!tokens_take_number(&b->tokens, &code)) return wrong(b, "close wants a code, or 0");
  s->code = (uint32_t)code;
  const struct token *reason = tokens_peek(&b->tokens);
  if (reason && reason->quoted) s->text = copy_text("", 0); /* marks that there is one */
  return call_payload(b, s);
}

static bool answer_request(struct builder *b, struct step *s) {
  uint64_t status;
  if (tokens_take_word(&b->tokens, "accept")) {
    s->call = CALL_ACCEPT;
    if (!token_is(tokens_peek(&b->tokens), "=")) s->text = take_text(b);
    return call_result(b, s);
  }
  if (tokens_take_word(&b->tokens, "header")) {
    s->call = CALL_HEADER;
    s->text = take_text(b);
    bool whole = s->text && strstr(s->text, ": ");
    return whole ? call_result(b, s) : wrong(b, "a header is \"Name: value\"");
  }
  if (!tokens_take_word(&b->tokens, "reject") || !tokens_take_number(&b->tokens, &status))
    return wrong(b, "answer with `accept [PROTOCOL]`, `reject STATUS` or `header \"Name: value\"`");
  s->call = CALL_REJECT;
  s->code = (uint32_t)status;
  return call_result(b, s);
}

static bool call(struct builder *b, enum step_kind kind) {
  struct step *s = add(b, kind);
  struct tokens *t = &b->tokens;
  if (tokens_take_word(t, "send")) return call_send(b, s);
  if (tokens_take_word(t, "close")) return call_close(b, s);
  s->call = CALL_PING;
  if (tokens_take_word(t, "ping")) return call_payload(b, s);
  s->call = CALL_PONG;
  if (tokens_take_word(t, "pong")) return call_payload(b, s);
  return answer_request(b, s);
}

/* ---- the rest ------------------------------------------------------------------------------ */

static bool number_step(struct builder *b, enum step_kind kind) {
  struct step *s = add(b, kind);
  bool never = kind == STEP_WAKE && tokens_take_word(&b->tokens, "never");
  if (!tokens_take_number(&b->tokens, &s->number))
    s->number = never || kind == STEP_TAKE ? UINT64_MAX : 0;
  return at_end(b);
}

static bool bare_step(struct builder *b, enum step_kind kind) {
  add(b, kind);
  return at_end(b);
}

static bool text_step(struct builder *b, enum step_kind kind) {
  struct step *s = add(b, kind);
  s->text = take_text(b);
  return s->text ? at_end(b) : wrong(b, "a text is missing");
}

static bool raw_word(struct builder *b, const char *word, bool *known) {
  static const char *const edits[] = {"with", "without", "also", "line"};
  static const char *const fields[] = {"field", "token", "no-field"};
  *known = true;
  for (size_t i = 0; i < sizeof edits / sizeof edits[0]; i++)
    if (strcmp(word, edits[i]) == 0) return edit_head(b, word);
  for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
    if (strcmp(word, fields[i]) == 0) return expect_field(b, word);
  if (strcmp(word, "<|") == 0) return input_line(b);
  if (strcmp(word, ">|") == 0) return output_line(b);
  if (strcmp(word, "asks") == 0) return expect_head(b, word);
  *known = false;
  return true;
}

/* A word that stands for a kind of step. */
static bool kind_word(struct builder *b, const struct token *word, bool *known) {
  static const struct {
    const char *word;
    bool (*read)(struct builder *, enum step_kind);
    enum step_kind kind;
  } rows[] = {
      {"call", call, STEP_CALL},
      {"on-part", call, STEP_ON_PART},
      {"tick", number_step, STEP_TICK},
      {"wake", number_step, STEP_WAKE},
      {"peak", number_step, STEP_PEAK},
      {"owns", number_step, STEP_OWNS},
      {"take", number_step, STEP_TAKE},
      {"protocol", text_step, STEP_PROTOCOL},
      {"extensions", text_step, STEP_EXTENSIONS},
      {"pause", bare_step, STEP_PAUSE},
      {"resume", bare_step, STEP_RESUME},
      {"hold", bare_step, STEP_HOLD},
      {"eof", bare_step, STEP_EOF},
      {"finished", bare_step, STEP_FINISHED},
      {"none", bare_step, STEP_NONE},
  };
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
    if ((*known = token_is(word, rows[i].word))) return rows[i].read(b, rows[i].kind);
  return true;
}

static bool other_word(struct builder *b, const struct token *word) {
  bool known;
  bool good = kind_word(b, word, &known);
  if (known) return good;
  if (token_is(word, "<")) return input(b, word->times);
  if (token_is(word, ">")) return output(b, word->times);
  if (token_is(word, "event")) return events(b, word->times);
  if (token_is(word, "request") || token_is(word, "response")) return send_head(b);
  if (token_is(word, "answer")) return expect_head(b, "answer");
  if (token_is(word, "opened")) return opened(b);
  if (token_is(word, "fails")) return fails(b);
  if (token_is(word, "refused")) return refused(b);
  if (token_is(word, "gives-up")) return gives_up(b);
  if (token_is(word, "on-request")) return answer_request(b, add(b, STEP_ON_REQUEST));
  return wrong(b, "no line begins with this word; tests/wire/README.md has the list");
}

bool steps_line(struct builder *b, const char *line) {
  size_t n = strcspn(line, " ");
  char *word = copy_text(line, n);
  bool known;
  b->raw = line + n + (line[n] == ' ');
  bool good = raw_word(b, word, &known);
  free(word);
  if (known || !good) return good;
  good = tokens_cut(&b->tokens, line, &b->why) && other_word(b, tokens_take(&b->tokens));
  tokens_free(&b->tokens);
  return good;
}

/* What the peer's head says of extensions: `deflate=shared` and `deflate=own` of an open engine are
   agreed on. */
static void add_extensions(struct builder *b, bool open) {
  static const char *const agreed[] = {
      [COHO_DEFLATE_SHARED] =
          "permessage-deflate; server_no_context_takeover; client_no_context_takeover",
      [COHO_DEFLATE_OWN] = "permessage-deflate",
      [COHO_DEFLATE_OFF] = NULL,
  };
  const struct options *o = &b->c->options;
  const char *text = o->extensions;
  struct bytes field = {NULL, 0, 0};
  if (!text && open) text = agreed[o->ws.deflate.mode];
  if (!text) return;
  bytes_text(&field, "Sec-WebSocket-Extensions: ");
  bytes_add(&field, text, strlen(text) + 1);
  head_also(&b->head, (const char *)field.data);
  bytes_free(&field);
}

void steps_end(struct builder *b) {
  head_free(&b->head);
  packer_free(&b->peer.packer);
}

bool steps_begin(struct builder *b, bool open) {
  struct wire_case *c = b->c;
  bool client = c->role == COHO_CLIENT;
  if (!options_read(&c->options, &b->tokens)) return wrong(b, "no such option in coho_ws_options");
  if (client && !c->options.ws.url) c->options.ws.url = "ws://server.example.com/chat";
  b->peer = (struct speaker){.masks = !client};
  b->engine = (struct speaker){.masks = client, .engine = true};
  head_reset(&b->head, c->role);
  if (!open) return true;
  add_extensions(b, open);
  if (client) add(b, STEP_HEAD)->text = copy_text("GET ", 4);
  bool good = send_head(b);
  if (good) add_opened(b);
  c->prelude = c->count;
  return good;
}
