#define _GNU_SOURCE /* vasprintf */
#include "fault.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
  KEPT_MOST = 50,  /* who has more to mend reads no further */
  TEXT_MOST = 600, /* bytes of one, which may quote the file */
  LINE_MOST = TEXT_MOST + 4200
};

struct fault_known {
  const void *what;
  struct fault_place place;
};

/* ---- places --------------------------------------------------------------------------------- */

void faults_know(struct faults *f, const void *what, struct fault_place place) {
  if (f->known_count == f->known_cap) {
    size_t cap = f->known_cap ? f->known_cap * 2 : 64;
    void *grown = realloc(f->known, cap * sizeof *f->known);
    if (!grown) return; /* a fault without its place is still told */
    f->known = (struct fault_known *)grown;
    f->known_cap = cap;
  }
  f->known[f->known_count++] = (struct fault_known){what, place};
}

void faults_forget(struct faults *f, const void *what) {
  for (size_t i = 0; i < f->known_count; i++)
    if (f->known[i].what == what) f->known[i].place.line = 0;
}

struct fault_place faults_find(const struct faults *f, const void *what) {
  for (size_t i = 0; what && i < f->known_count; i++)
    if (f->known[i].what == what) return f->known[i].place;
  return (struct fault_place){0, 0};
}

/* ---- faults --------------------------------------------------------------------------------- */

/* What was quoted steers no terminal and begins no line; cut between characters. */
static void make_tame(char *text) {
  size_t len = strlen(text);
  if (len > TEXT_MOST) {
    len = TEXT_MOST - 3;
    while (len && ((unsigned char)text[len] & 0xc0) == 0x80)
      len--;
    memcpy(text + len, "...", 4);
  }
  for (; *text; text++)
    if ((unsigned char)*text < ' ' || *text == 0x7f) *text = '?';
}

bool faults_full(const struct faults *f) { return f->count >= KEPT_MOST; }

void faults_add(struct faults *f, struct fault fault) {
  if (!fault.warning) f->errors++;
  void *grown =
      fault.text && !faults_full(f) ? realloc(f->items, (f->count + 1) * sizeof fault) : NULL;
  if (!grown) {
    free(fault.text);
    f->more++;
    return;
  }
  make_tame(fault.text);
  f->items = (struct fault *)grown;
  f->items[f->count++] = fault;
}

void faults_add_at(struct faults *f, struct fault_place place, const char *format, ...) {
  struct fault fault = {.place = place};
  va_list args;
  va_start(args, format);
  if (vasprintf(&fault.text, format, args) < 0) fault.text = NULL;
  va_end(args);
  faults_add(f, fault);
}

/* Those without a place come last, and of two at one place the one that was found first. */
static bool comes_before(const struct fault *a, const struct fault *b) {
  unsigned left = a->place.line ? a->place.line : UINT32_MAX;
  unsigned right = b->place.line ? b->place.line : UINT32_MAX;
  return left < right || (left == right && a->place.column < b->place.column);
}

static void sort(struct faults *f) {
  for (size_t i = 1; i < f->count; i++) {
    struct fault one = f->items[i];
    size_t at = i;
    for (; at && comes_before(&one, &f->items[at - 1]); at--)
      f->items[at] = f->items[at - 1];
    f->items[at] = one;
  }
}

void faults_tell(struct faults *f, const char *who, void (*line)(const char *text)) {
  char text[LINE_MOST];
  bool placed = false;
  sort(f);
  for (size_t i = 0; i < f->count; i++) {
    const struct fault *one = &f->items[i];
    const char *kind = one->warning ? "warning: " : "";
    if (one->place.line)
      (void)snprintf(text, sizeof text, "%s:%u:%u: %s%s", f->file, one->place.line,
                     one->place.column, kind, one->text);
    else if (placed && !one->warning)
      continue;
    else
      (void)snprintf(text, sizeof text, "%s: %s%s", who, kind, one->text);
    placed = placed || (one->place.line && !one->warning);
    line(text);
  }
  if (!f->more) return;
  (void)snprintf(text, sizeof text, "%s: %zu more that are wrong", who, f->more);
  line(text);
}

void faults_free(struct faults *f) {
  for (size_t i = 0; i < f->count; i++)
    free(f->items[i].text);
  free(f->items);
  free(f->known);
  *f = (struct faults){.file = NULL};
}
