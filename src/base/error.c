#include "base/error.h"

#include "base/check.h"

#include <coho/error.h>

struct row {
  const char *name, *text, *rfc;
  int answer;
};

#define ROW(name, value, answer, rfc, text) [-(value)] = {#name, text, rfc, answer},
static const struct row rows[] = {COHO_ERRORS(ROW)};
#undef ROW

/* Of a value that the table does not know: all others have a name. */
static const struct row unknown = {"unknown error", "unknown error", "", 0};
static const struct row success = {"COHO_OK", "success", "", 0};

static const struct row *row_of(int err) {
  if (err >= 0) return &success;
  if (err <= -(int)COHO_COUNT(rows)) return &unknown;
  const struct row *row = &rows[-err];
  return row->name != NULL ? row : &unknown;
}

const char *coho_strerror(int err) { return row_of(err)->text; }

const char *coho_errname(int err) { return row_of(err)->name; }

int coho_error_answer(int err) { return row_of(err)->answer; }

const char *coho_error_rfc(int err) { return row_of(err)->rfc; }

int coho__error_status(int err) {
  int answer = coho_error_answer(err);
  if (answer == 1013) return 503; /* both: come back later */
  return answer >= 400 && answer <= 599 ? answer : 500;
}
