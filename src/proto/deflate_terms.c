#include "proto/deflate_terms.h"

#include "base/budget.h"
#include "base/check.h"
#include "proto/deflater.h"
#include "proto/extension.h"
#include "proto/inflater.h"

#include <stdarg.h>
#include <stdio.h>

enum { WINDOW_MIN = 8, WINDOW_MAX = 15 };

#define NAME              "permessage-deflate"
#define SERVER_NO_CONTEXT "server_no_context_takeover"
#define CLIENT_NO_CONTEXT "client_no_context_takeover"
#define SERVER_WINDOW     "server_max_window_bits"
#define CLIENT_WINDOW     "client_max_window_bits"

/* ---- the options --------------------------------------------------------------------------- */

/* The option with its default. */
static bool fill(uint32_t *value, uint32_t fallback, uint32_t min, uint32_t max) {
  if (*value == 0) *value = fallback;
  return *value >= min && *value <= max;
}

int coho__deflate_conf_read(coho_role role, const coho_deflate *set, coho_deflate *out) {
  *out = *set;
  if (!fill(&out->mode, COHO_DEFLATE_SHARED, COHO_DEFLATE_SHARED, COHO_DEFLATE_OFF))
    return COHO_EOPTION;
  bool own = out->mode == COHO_DEFLATE_OWN;
  bool right = fill(&out->window, own ? 12 : WINDOW_MAX, 9, WINDOW_MAX);
  right &=
      fill(&out->peer_window, own && role == COHO_SERVER ? 12 : WINDOW_MAX, WINDOW_MIN, WINDOW_MAX);
  right &= fill(&out->memory, 5, 1, 9);
  right &= fill(&out->level, 6, 1, 9);
  right &= fill(&out->min_size, 256, 1, UINT32_MAX);
  return right ? 0 : COHO_EOPTION;
}

/* ---- reading an element (RFC 7692 7.1) ------------------------------------------------------ */

/* The parameters of an offer or an answer; windows are 0 when absent. */
struct params {
  bool server_no_context, client_no_context;
  bool client_window_given; /* also without a value */
  uint8_t server_window, client_window;
};

/* 8 to 15 without leading zero; 0: it is none. A quoted value may have backslashes in it. */
static uint8_t read_window(struct coho__view value) {
  char digits[2];
  size_t n = 0;
  for (size_t i = 0; i < value.len; i++) {
    if (value.data[i] == '\\') continue;
    if (n == sizeof digits) return 0;
    digits[n++] = value.data[i];
  }
  if (n == 1) return digits[0] == '8' || digits[0] == '9' ? (uint8_t)(digits[0] - '0') : 0;
  if (n == 0 || digits[0] != '1' || digits[1] < '0' || digits[1] > '5') return 0;
  return (uint8_t)(10 + digits[1] - '0');
}

static bool set_flag(bool *flag, struct coho__view value) {
  if (*flag || value.data) return false;
  return *flag = true;
}

static bool set_window(uint8_t *window, struct coho__view value) {
  if (*window) return false;
  return (*window = read_window(value)) != 0;
}

/* False: unknown, there already, or its value is wrong. */
static bool take(struct params *p, struct coho__view name, struct coho__view value) {
  if (coho__view_eq(name, VIEW(SERVER_NO_CONTEXT))) return set_flag(&p->server_no_context, value);
  if (coho__view_eq(name, VIEW(CLIENT_NO_CONTEXT))) return set_flag(&p->client_no_context, value);
  if (coho__view_eq(name, VIEW(SERVER_WINDOW))) return set_window(&p->server_window, value);
  if (!coho__view_eq(name, VIEW(CLIENT_WINDOW)) || p->client_window_given) return false;
  p->client_window_given = true;
  return !value.data || set_window(&p->client_window, value);
}

static bool read_params(const struct coho__extension *ext, struct params *p) {
  *p = (struct params){.client_window = 0};
  for (size_t i = 0; i < ext->param_count; i++)
    if (!take(p, ext->params[i].name, ext->params[i].value)) return false;
  return true;
}

static uint8_t lesser(uint32_t window, uint8_t other) {
  return (uint8_t)COHO_MIN(window, (uint32_t)(other ? other : WINDOW_MAX));
}

/* ---- the budget ---------------------------------------------------------------------------- */

uint8_t coho__deflate_terms_window(const struct coho__deflate_terms *terms, coho_role role,
                                   const coho_deflate *conf) {
  return lesser(conf->window, role == COHO_SERVER ? terms->server_window : terms->client_window);
}

static size_t bytes_to_send(const struct coho__deflate_terms *t, coho_role role,
                            const coho_deflate *conf) {
  return t->own_sends ? coho__deflater_size(coho__deflate_terms_window(t, role, conf), conf->memory)
                      : 0;
}

static size_t bytes_to_receive(const struct coho__deflate_terms *t, coho_role role) {
  return t->own_receives
             ? coho__inflater_size(role == COHO_SERVER ? t->client_window : t->server_window)
             : 0;
}

/* Whether the contexts fit into the budget; own is set then. */
static bool take_contexts(struct coho__deflate_terms *t, coho_role role, const coho_deflate *conf) {
  size_t bytes = bytes_to_send(t, role, conf) + bytes_to_receive(t, role);
  if (!coho__contexts_take(bytes)) return false;
  t->own = bytes;
  return true;
}

void coho__deflate_terms_drop(struct coho__deflate_terms *terms) {
  coho__contexts_give(terms->own);
  *terms = (struct coho__deflate_terms){.agreed = false};
}

/* ---- the server ---------------------------------------------------------------------------- */

static void answer_offer(const struct params *offer, const coho_deflate *conf,
                         struct coho__deflate_terms *t) {
  bool own = conf->mode == COHO_DEFLATE_OWN;
  *t = (struct coho__deflate_terms){
      .agreed = true,
      .server_no_context = !own || offer->server_no_context,
      .client_no_context = !own || offer->client_no_context,
      .server_window = lesser(conf->window, offer->server_window),
      .client_window = WINDOW_MAX,
  };
  /* A request is granted by name; what is less than the default has to be said. */
  t->server_window_named = offer->server_window || t->server_window < WINDOW_MAX;
  if (offer->client_window_given)
    t->client_window = lesser(conf->peer_window, offer->client_window);
  t->client_window_named = t->client_window < WINDOW_MAX;
  t->own_sends = !t->server_no_context;
  t->own_receives = !t->client_no_context;
  if (take_contexts(t, COHO_SERVER, conf)) return;
  t->server_no_context = t->client_no_context = true;
  t->own_sends = t->own_receives = false;
}

int coho__deflate_accept(const struct coho__http1 *head, const coho_deflate *conf,
                         struct coho__deflate_terms *terms) {
  struct coho__http1_list it = {0};
  struct coho__extension ext;
  struct params offer;
  int more;
  *terms = (struct coho__deflate_terms){.agreed = false};
  if (conf->mode == COHO_DEFLATE_OFF) return 0;
  while ((more = coho__extension_next(head, &it, &ext)) > 0) {
    if (!coho__view_eq(ext.name, VIEW(NAME)) || !read_params(&ext, &offer)) continue;
    answer_offer(&offer, conf, terms);
    return 0;
  }
  return more;
}

/* ---- the client ---------------------------------------------------------------------------- */

/* The answer is one that the offer allows. The offer always has client_max_window_bits. */
static bool fits(const struct params *answer, const coho_deflate *conf) {
  if (conf->mode == COHO_DEFLATE_SHARED && !answer->server_no_context) return false;
  if (answer->client_window_given && !answer->client_window) return false;
  uint8_t window = answer->server_window ? answer->server_window : WINDOW_MAX;
  return conf->peer_window == WINDOW_MAX || window <= conf->peer_window;
}

static void agree(const struct params *answer, const coho_deflate *conf,
                  struct coho__deflate_terms *t) {
  *t = (struct coho__deflate_terms){
      .agreed = true,
      .server_no_context = answer->server_no_context,
      .client_no_context = answer->client_no_context,
      .server_window = lesser(WINDOW_MAX, answer->server_window),
      .client_window = lesser(WINDOW_MAX, answer->client_window),
      .server_window_named = answer->server_window != 0,
      .client_window_named = answer->client_window != 0,
      .own_sends = conf->mode == COHO_DEFLATE_OWN && !answer->client_no_context,
      .own_receives = !answer->server_no_context,
  };
  if (take_contexts(t, COHO_CLIENT, conf)) return;
  /* Nobody has to use the context that is granted. */
  t->own_sends = false;
  (void)take_contexts(t, COHO_CLIENT, conf);
}

int coho__deflate_check_answer(const struct coho__http1 *head, const coho_deflate *conf,
                               struct coho__deflate_terms *terms) {
  struct coho__http1_list it = {0};
  struct coho__extension ext;
  struct params answer = {.client_window = 0};
  bool right = true;
  size_t count = 0;
  int more;
  *terms = (struct coho__deflate_terms){.agreed = false};
  while ((more = coho__extension_next(head, &it, &ext)) > 0) {
    if (conf->mode == COHO_DEFLATE_OFF || !coho__view_eq(ext.name, VIEW(NAME)))
      return COHO_EANSWEREXTENSION;
    right = right && count++ == 0 && read_params(&ext, &answer) && fits(&answer, conf);
  }
  if (more || !count) return more;
  if (!right) return COHO_EANSWERDEFLATE;
  agree(&answer, conf, terms);
  return 0;
}

/* ---- texts --------------------------------------------------------------------------------- */

struct text {
  char *data;
  size_t len;
};

__attribute__((format(printf, 2, 3))) static void append(struct text *t, const char *format, ...) {
  va_list args;
  va_start(args, format);
  int n = vsnprintf(t->data + t->len, COHO_DEFLATE_TEXT - t->len, format, args);
  va_end(args);
  COHO_ASSERT(n >= 0 && (size_t)n < COHO_DEFLATE_TEXT - t->len);
  t->len += (size_t)n;
}

const char *coho__deflate_answer(const struct coho__deflate_terms *terms,
                                 char text[COHO_DEFLATE_TEXT]) {
  struct text t = {text, 0};
  text[0] = '\0';
  if (!terms->agreed) return text;
  append(&t, NAME);
  if (terms->server_no_context) append(&t, "; " SERVER_NO_CONTEXT);
  if (terms->client_no_context) append(&t, "; " CLIENT_NO_CONTEXT);
  if (terms->server_window_named) append(&t, "; " SERVER_WINDOW "=%u", terms->server_window);
  if (terms->client_window_named) append(&t, "; " CLIENT_WINDOW "=%u", terms->client_window);
  return text;
}

const char *coho__deflate_offer(const coho_deflate *conf, char text[COHO_DEFLATE_TEXT]) {
  struct text t = {text, 0};
  text[0] = '\0';
  if (conf->mode == COHO_DEFLATE_OFF) return text;
  append(&t, NAME);
  if (conf->mode == COHO_DEFLATE_SHARED) append(&t, "; " SERVER_NO_CONTEXT "; " CLIENT_NO_CONTEXT);
  if (conf->peer_window < WINDOW_MAX) append(&t, "; " SERVER_WINDOW "=%u", conf->peer_window);
  append(&t, "; " CLIENT_WINDOW);
  if (conf->window < WINDOW_MAX) append(&t, "=%u", conf->window);
  return text;
}
