/* Fields about files: dates against the C library's calendar, ranges, conditions. */
#include "http/conditions.h"
#include "http/date.h"
#include "http/range.h"
#include "support/claim.h"
#include "support/input.h"
#include "support/memory.h"

#include <string.h>
#include <time.h>

static const struct coho__validators validators = {"\"an-etag\"", 784111777};

static void check_date(struct coho__view text) {
  int64_t seconds, again;
  char formatted[COHO_DATE_SIZE], expected[64];
  if (!coho__date_parse(text, &seconds)) return;
  CLAIM(seconds >= 0);
  CLAIM(coho__date_format(formatted, seconds) == formatted);
  CLAIM(strlen(formatted) == COHO_DATE_SIZE - 1);
  struct coho__view v = coho__view_of(formatted);
  CLAIM(coho__date_parse(v, &again));
  if (seconds >= 253402300800) return; /* a day of the year 10000 becomes the last of 9999 */
  CLAIM(again == seconds);
  struct tm tm;
  time_t time = (time_t)seconds;
  CLAIM(gmtime_r(&time, &tm) != NULL);
  CLAIM(strftime(expected, sizeof expected, "%a, %d %b %Y %H:%M:%S GMT", &tm) > 0);
  CLAIM(strcmp(expected, formatted) == 0);
}

static void check_range(struct coho__view text, uint64_t size) {
  struct coho__range range = {0, 0};
  if (coho__range_parse(text, size, &range) != COHO_RANGE_PART) return;
  CLAIM(range.len > 0 && range.first < size && range.len <= size - range.first);
}

static void check_conditions(struct coho__view field) {
  struct coho__http1 head;
  size_t used;
  coho__http1_init(&head, COHO_HTTP1_REQUEST, NULL);
  (void)coho__http1_input(&head, "GET / HTTP/1.1\r\n", 16, &used);
  (void)coho__http1_input(&head, field.data, field.len, &used);
  (void)coho__http1_input(&head, "\r\n\r\n", 4, &used);
  if (head.complete) {
    int status = coho__conditions_check(&head, &validators);
    CLAIM(status == 0 || status == 304 || status == 412);
    bool asks = coho__http1_find(&head, "If-None-Match", 0) != SIZE_MAX ||
                coho__http1_find(&head, "If-Modified-Since", 0) != SIZE_MAX;
    if (status == 304) CLAIM(asks);
    if (coho__http1_find(&head, "If-Range", 0) == SIZE_MAX)
      CLAIM(coho__conditions_range(&head, &validators));
  }
  coho__http1_free(&head);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static const uint64_t sizes[] = {0, 1, 500, UINT64_MAX};
  struct input in = {data, size};
  uint8_t *block = input_copy(in);
  struct coho__view text = {(const char *)block, size};
  memory_fail_at(0);
  check_date(text);
  for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
    check_range(text, sizes[i]);
  check_conditions(text);
  memory_claim_empty();
  free(block);
  return 0;
}
