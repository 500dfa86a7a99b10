/*
 * test_wire [--list | --verbose] [FILE...]: plays wire tests, those of tests/wire without arguments.
 * --list only names the cases, --verbose names each before it is played: the last one crashed.
 * README.md beside this file says what a file may hold and how every case is played.
 */
#include "play.h"

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
  EVERY_CUT = 4096,   /* inputs up to here are cut at every byte */
  SAMPLED_CUTS = 100, /* longer ones so often */
  HUGE = 1 << 20,     /* and from here on */
  HUGE_CUTS = 10,     /* no more than so often */
  BYTEWISE = 1 << 18, /* inputs up to here come byte by byte too */
  PIECE = 61          /* and longer ones in pieces of so many bytes */
};

static size_t longest_input(const struct wire_case *c) {
  size_t longest = 0;
  for (size_t i = 0; i < c->count; i++)
    if (c->steps[i].kind == STEP_INPUT && c->steps[i].data.len > longest)
      longest = c->steps[i].data.len;
  return longest;
}

static bool play_cut(const struct wire_case *c, size_t step, size_t cut, struct tally *tally) {
  struct way way = {.chunk = 0, .step = step, .cut = cut};
  return cut == 0 || cut >= c->steps[step].data.len || play_case(c, &way, tally);
}

static bool play_every_cut(const struct wire_case *c, size_t step, struct tally *tally) {
  for (size_t cut = 1; cut < c->steps[step].data.len; cut++)
    if (!play_cut(c, step, cut, tally)) return false;
  return true;
}

/* Cuts around the beginnings of frames, payloads and lines, and some everywhere. */
static bool play_some_cuts(const struct wire_case *c, size_t step, struct tally *tally) {
  const struct step *s = &c->steps[step];
  size_t cuts = s->data.len < HUGE ? SAMPLED_CUTS : HUGE_CUTS, even = cuts / 4;
  size_t every = s->mark_count * 5 / cuts + 1;
  for (size_t i = 0; i < s->mark_count; i += every)
    for (size_t d = 0; d < 5; d++)
      if (!play_cut(c, step, s->marks[i] + d - 2, tally)) return false;
  for (size_t i = 1; i < even; i++)
    if (!play_cut(c, step, s->data.len / even * i + i, tally)) return false;
  return play_cut(c, step, s->data.len - 1, tally);
}

static bool play_ways(const struct wire_case *c, struct tally *tally) {
  struct way whole = {.chunk = 0, .step = SIZE_MAX, .cut = 0}, pieces = whole;
  pieces.chunk = longest_input(c) <= BYTEWISE ? 1 : PIECE;
  if (!play_case(c, &whole, tally) || !play_case(c, &pieces, tally)) return false;
  for (size_t i = c->prelude; i < c->count; i++) {
    if (c->steps[i].kind != STEP_INPUT) continue;
    bool few = c->steps[i].data.len > EVERY_CUT;
    if (!(few ? play_some_cuts(c, i, tally) : play_every_cut(c, i, tally))) return false;
  }
  return true;
}

static void list_case(const struct wire_case *c) {
  printf("%s\t%s:%d\t%s\t%s\n", c->ids, c->file, c->line,
         c->role == COHO_SERVER ? "server" : "client", c->name);
}

enum mode { PLAY, VERBOSE, LIST };

struct count {
  size_t passed, failed;
  struct tally tally;
};

static void run_file(const char *file, enum mode mode, struct count *count) {
  struct script s;
  if (!script_read(&s, file)) {
    count->failed++;
    script_free(&s);
    return;
  }
  for (size_t i = 0; i < s.count; i++) {
    if (mode != PLAY) list_case(&s.cases[i]);
    fflush(stdout);
    if (mode == LIST) continue;
    if (play_ways(&s.cases[i], &count->tally))
      count->passed++;
    else
      count->failed++;
  }
  script_free(&s);
}

int main(int argc, char **argv) {
  enum mode mode = PLAY;
  if (argc > 1 && strcmp(argv[1], "--list") == 0) mode = LIST;
  if (argc > 1 && strcmp(argv[1], "--verbose") == 0) mode = VERBOSE;
  int first = mode == PLAY ? 1 : 2;
  struct count count = {0, 0, {0, 0}};
  coho_set_allocator(tally_alloc, &count.tally);
  glob_t found;
  if (first < argc) {
    for (int i = first; i < argc; i++)
      run_file(argv[i], mode, &count);
  } else if (chdir(COHO_SOURCE_DIR) == 0 && glob("tests/wire/*.wire", 0, NULL, &found) == 0) {
    for (size_t i = 0; i < found.gl_pathc; i++)
      run_file(found.gl_pathv[i], mode, &count);
    globfree(&found);
  }
  guard_free();
  if (mode == LIST) return count.failed != 0;
  /* The first two lines are what tools/count-tests.py reads. */
  printf("[  PASSED  ] %zu tests\n", count.passed);
  if (count.failed) printf("[  FAILED  ] %zu tests\n", count.failed);
  printf("%zu passed, %zu failed\n", count.passed, count.failed);
  return count.failed != 0 || count.passed == 0;
}
