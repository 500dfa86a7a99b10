#include "http/date.h"

#include "base/check.h"
#include "base/clock.h"

#include <stdio.h>
#include <string.h>

static const char days[7][10] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                 "Thursday", "Friday", "Saturday"};
static const char months[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                   "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

enum { SECONDS_A_DAY = 86400, LAST_YEAR = 9999 };

struct civil {
  int64_t year;
  unsigned month, day, hour, minute, second; /* month from 1 */
};

/* Days since 1970 of a date in the Gregorian calendar: years counted from March, so that the leap
   day is the last one. */
static int64_t days_of(const struct civil *c) {
  int64_t year = c->month <= 2 ? c->year - 1 : c->year;
  int64_t era = year / 400;
  int64_t of_era = year - era * 400;
  int64_t shifted = c->month > 2 ? (int64_t)c->month - 3 : (int64_t)c->month + 9;
  int64_t of_year = (153 * shifted + 2) / 5 + (int64_t)c->day - 1;
  return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static void civil_of(struct civil *c, int64_t seconds) {
  int64_t rest = seconds % SECONDS_A_DAY;
  int64_t day = seconds / SECONDS_A_DAY + 719468;
  int64_t era = day / 146097;
  int64_t of_era = day - era * 146097;
  int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
  int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
  int64_t shifted = (5 * of_year + 2) / 153;
  c->day = (unsigned)(of_year - (153 * shifted + 2) / 5 + 1);
  c->month = (unsigned)(shifted < 10 ? shifted + 3 : shifted - 9);
  c->year = year + era * 400 + (c->month <= 2 ? 1 : 0);
  c->hour = (unsigned)(rest / 3600);
  c->minute = (unsigned)(rest / 60 % 60);
  c->second = (unsigned)(rest % 60);
}

const char *coho__date_format(char dst[COHO_DATE_SIZE], int64_t seconds) {
  struct civil c;
  struct civil last = {LAST_YEAR, 12, 31, 0, 0, 0};
  int64_t end = (days_of(&last) + 1) * SECONDS_A_DAY - 1;
  if (seconds < 0) seconds = 0;
  if (seconds > end) seconds = end;
  civil_of(&c, seconds);
  int64_t weekday = (seconds / SECONDS_A_DAY + 4) % 7; /* 1970-01-01 was a Thursday */
  (void)snprintf(dst, COHO_DATE_SIZE, "%.3s, %02u %s %04d %02u:%02u:%02u GMT", days[weekday],
                 c.day % 100, months[c.month - 1], (int)(c.year % 10000), c.hour % 100,
                 c.minute % 100, c.second % 100);
  return dst;
}

/* ---- parsing: each function takes what it names off the front of v ---------------------------- */

static bool take(struct coho__view *v, const char *literal) {
  size_t len = strlen(literal);
  if (v->len < len || memcmp(v->data, literal, len) != 0) return false;
  v->data += len;
  v->len -= len;
  return true;
}

static bool take_number(struct coho__view *v, size_t digits, unsigned *out) {
  uint64_t value;
  if (v->len < digits || !coho__view_number((struct coho__view){v->data, digits}, 9999, &value)) {
    return false;
  }
  *out = (unsigned)value;
  v->data += digits;
  v->len -= digits;
  return true;
}

static bool take_day_name(struct coho__view *v, bool whole) {
  for (size_t i = 0; i < COHO_COUNT(days); i++) {
    char name[10];
    memcpy(name, days[i], sizeof name);
    if (!whole) name[3] = 0;
    if (take(v, name)) return true;
  }
  return false;
}

static bool take_month(struct coho__view *v, unsigned *out) {
  for (unsigned i = 0; i < COHO_COUNT(months); i++) {
    if (take(v, months[i])) {
      *out = i + 1;
      return true;
    }
  }
  return false;
}

static bool take_year(struct coho__view *v, struct civil *c) {
  unsigned year;
  if (!take_number(v, 4, &year)) return false;
  c->year = (int64_t)year;
  return true;
}

static bool take_time(struct coho__view *v, struct civil *c) {
  return take_number(v, 2, &c->hour) && take(v, ":") && take_number(v, 2, &c->minute) &&
         take(v, ":") && take_number(v, 2, &c->second);
}

/* "Sun, 06 Nov 1994 08:49:37 GMT" */
static bool parse_fixed(struct coho__view v, struct civil *c) {
  return take_day_name(&v, false) && take(&v, ", ") && take_number(&v, 2, &c->day) &&
         take(&v, " ") && take_month(&v, &c->month) && take(&v, " ") && take_year(&v, c) &&
         take(&v, " ") && take_time(&v, c) && take(&v, " GMT") && v.len == 0;
}

/* Two digits mean the latest such year that is not more than 50 years ahead (RFC 9110 5.6.7). */
static int64_t widen_year(unsigned two_digits) {
  struct civil now;
  civil_of(&now, (int64_t)(coho__clock_wall_ms() / 1000));
  int64_t year = now.year / 100 * 100 + (int64_t)two_digits;
  return year > now.year + 50 ? year - 100 : year;
}

/* "Sunday, 06-Nov-94 08:49:37 GMT" */
static bool parse_rfc850(struct coho__view v, struct civil *c) {
  unsigned year;
  if (!take_day_name(&v, true) || !take(&v, ", ") || !take_number(&v, 2, &c->day) ||
      !take(&v, "-") || !take_month(&v, &c->month) || !take(&v, "-") ||
      !take_number(&v, 2, &year)) {
    return false;
  }
  c->year = widen_year(year);
  return take(&v, " ") && take_time(&v, c) && take(&v, " GMT") && v.len == 0;
}

/* "Sun Nov  6 08:49:37 1994" */
static bool parse_asctime(struct coho__view v, struct civil *c) {
  if (!take_day_name(&v, false) || !take(&v, " ") || !take_month(&v, &c->month) || !take(&v, " ")) {
    return false;
  }
  size_t digits = take(&v, " ") ? 1 : 2;
  if (!take_number(&v, digits, &c->day)) return false;
  return take(&v, " ") && take_time(&v, c) && take(&v, " ") && take_year(&v, c) && v.len == 0;
}

bool coho__date_parse(struct coho__view text, int64_t *seconds) {
  struct civil c;
  if (!parse_fixed(text, &c) && !parse_rfc850(text, &c) && !parse_asctime(text, &c)) return false;
  /* second 60: a leap second */
  if (c.year < 1970 || c.day < 1 || c.day > 31 || c.hour > 23 || c.minute > 59 || c.second > 60) {
    return false;
  }
  *seconds = days_of(&c) * SECONDS_A_DAY + (int64_t)(c.hour * 3600 + c.minute * 60 + c.second);
  return true;
}
