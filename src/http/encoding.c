#include "http/encoding.h"

/* "0", "0.", "0.0" to "0.000": the weight of what is not wanted (RFC 9110 12.4.2). */
static bool is_nothing(struct coho__view weight) {
  if (!weight.len || weight.data[0] != '0') return false;
  for (size_t i = 1; i < weight.len; i++)
    if (weight.data[i] != (i == 1 ? '.' : '0')) return false;
  return true;
}

/* Of what is behind the name of a coding. */
static bool is_wanted(struct coho__view parameters) {
  while (parameters.data) {
    struct coho__view one = coho__view_trim(coho__view_split(&parameters, ';'));
    if (coho__view_take_nocase(&one, VIEW("q="))) return !is_nothing(one);
  }
  return true;
}

bool coho__encoding_takes_gzip(const struct coho__http1 *head) {
  struct coho__http1_list it = {0};
  struct coho__view rest;
  bool any = false;
  while (coho__http1_list_next(head, "Accept-Encoding", &it, &rest)) {
    struct coho__view name = coho__view_trim(coho__view_split(&rest, ';'));
    if (coho__view_eq_nocase(name, VIEW("gzip")) || coho__view_eq_nocase(name, VIEW("x-gzip")))
      return is_wanted(rest);
    if (coho__view_eq(name, VIEW("*"))) any = is_wanted(rest);
  }
  return any;
}
