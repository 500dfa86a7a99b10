#include "http/route.h"

#include "base/alloc.h"
#include "base/check.h"
#include "support/alloc_fail.h"

#include <coho/error.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void serve(coho_request *r, void *ctx) {
  (void)r;
  (void)ctx;
}

/* method "WS" is a WebSocket route. */
static int add(struct coho__routes *rs, const char *method, const char *pattern) {
  char copy[16];
  (void)snprintf(copy, sizeof copy, "%s", method);
  bool ws = strcmp(method, "WS") == 0;
  struct coho__route route = {
      .kind = ws ? COHO_ROUTE_WS : COHO_ROUTE_HTTP, .method = ws ? NULL : copy, .serve = serve};
  return coho__routes_add(rs, pattern, &route);
}

static void parse(coho_request *r, const char *method, const char *target) {
  char text[512];
  size_t used;
  bool ws = strcmp(method, "WS") == 0;
  int len = snprintf(text, sizeof text, "%s %s HTTP/1.1\r\nHost: a\r\n%s\r\n", ws ? "GET" : method,
                     target, ws ? "Upgrade: websocket\r\n" : "");
  coho__request_init(r, NULL);
  assert_int_equal(coho__http1_input(&r->head, text, (size_t)len, &used), 1);
  assert_int_equal(coho__request_parse(r), 0);
}

/* "METHOD PATTERN name=value ..." of who serves it, or "404", "405 METHODS", "426". */
static const char *find(const struct coho__routes *rs, const char *method, const char *target) {
  static char text[600];
  coho_request r;
  struct coho__match m;
  parse(&r, method, target);
  assert_int_equal(coho__routes_find(rs, &r, &m), 0);
  if (m.route) {
    int len = snprintf(text, sizeof text, "%s %s", m.route->method ? m.route->method : "WS",
                       m.route->pattern);
    for (size_t i = 0; i < r.param_count; i++) {
      len += snprintf(text + len, sizeof text - (size_t)len, " %.*s=%s", (int)r.params[i].name.len,
                      r.params[i].name.data, r.params[i].value);
    }
  } else if (m.ws_known) {
    (void)snprintf(text, sizeof text, "426");
  } else if (m.path_known) {
    (void)snprintf(text, sizeof text, "405 %s", m.allow);
  } else {
    (void)snprintf(text, sizeof text, "404");
  }
  coho__request_free(&r);
  return text;
}

struct row {
  const char *method, *target, *found;
};

static void expect(const struct coho__routes *rs, const struct row *rows, size_t count) {
  for (size_t i = 0; i < count; i++) {
    const char *found = find(rs, rows[i].method, rows[i].target);
    if (strcmp(found, rows[i].found) != 0) {
      fail_msg("%s %s: %s, not %s", rows[i].method, rows[i].target, found, rows[i].found);
    }
  }
}

/* In every order of adding, the most specific pattern wins. */
static void test_most_specific_wins(void **state) {
  (void)state;
  static const char *const patterns[] = {"/*",    "/:a",   "/a",     "/a/*",
                                         "/a/:b", "/:x/b", "/a/b/c", "/"};
  static const struct row rows[] = {
      {"GET", "/", "GET /"},
      {"GET", "/a", "GET /a"},
      {"GET", "/x", "GET /:a a=x"},
      {"GET", "/a/b", "GET /a/:b b=b"},
      {"GET", "/c/b", "GET /:x/b x=c"},
      {"GET", "/a/b/c", "GET /a/b/c"},
      {"GET", "/a/b/d", "GET /a/* *=b/d"},
      {"GET", "/a/", "GET /a/* *="},
      {"GET", "/c/d", "GET /* *=c/d"},
      {"GET", "/c/", "GET /* *=c/"},
      {"GET", "//", "GET /* *=/"},
      {"GET", "/a?/b", "GET /a"},
      {"GET", "/%61", "GET /a"},
      {"GET", "/a%20b", "GET /:a a=a b"},
      {"GET", "http://h/a", "GET /a"},
      {"GET", "http://h", "GET /"},
  };
  for (size_t shift = 0; shift < COHO_COUNT(patterns); shift++) {
    struct coho__routes rs;
    coho__routes_init(&rs);
    for (size_t i = 0; i < COHO_COUNT(patterns); i++)
      assert_int_equal(add(&rs, "GET", patterns[(i + shift) % COHO_COUNT(patterns)]), 0);
    expect(&rs, rows, COHO_COUNT(rows));
    coho__routes_free(&rs);
  }
}

static void test_rest_is_also_nothing(void **state) {
  (void)state;
  static const struct row rows[] = {
      {"GET", "/files", "GET /files/* *="},
      {"GET", "/files/", "GET /files/* *="},
      {"GET", "/files/a", "GET /files/* *=a"},
      {"GET", "/filesystem", "404"},
      {"GET", "/file", "404"},
      {"GET", "/", "404"},
  };
  struct coho__routes rs;
  coho__routes_init(&rs);
  assert_int_equal(add(&rs, "GET", "/files/*"), 0);
  expect(&rs, rows, COHO_COUNT(rows));
  coho__routes_free(&rs);
}

static void test_methods(void **state) {
  (void)state;
  static const struct row rows[] = {
      {"GET", "/a", "GET /a"},
      {"HEAD", "/a", "GET /a"},
      {"POST", "/a", "POST /a"},
      {"PUT", "/a", "405 GET, HEAD, POST, OPTIONS"},
      {"get", "/a", "405 GET, HEAD, POST, OPTIONS"},
      {"HEAD", "/h", "HEAD /h"},
      {"GET", "/h", "GET /h"},
      {"PUT", "/any", "* /any"},
      {"GET", "/any", "GET /any"},
      {"POST", "/only", "POST /only"},
      /* a path with a route of its own does not fall through to a less specific one */
      {"GET", "/only", "405 POST, OPTIONS"},
      {"GET", "/else", "GET /* *=else"},
  };
  struct coho__routes rs;
  coho__routes_init(&rs);
  assert_int_equal(add(&rs, "GET", "/a"), 0);
  assert_int_equal(add(&rs, "POST", "/a"), 0);
  assert_int_equal(add(&rs, "GET", "/h"), 0);
  assert_int_equal(add(&rs, "HEAD", "/h"), 0);
  assert_int_equal(add(&rs, "*", "/any"), 0);
  assert_int_equal(add(&rs, "GET", "/any"), 0);
  assert_int_equal(add(&rs, "POST", "/only"), 0);
  assert_int_equal(add(&rs, "GET", "/*"), 0);
  expect(&rs, rows, COHO_COUNT(rows));
  coho__routes_free(&rs);
}

static void test_upgrade_decides(void **state) {
  (void)state;
  static const struct row rows[] = {
      {"WS", "/both", "WS /both"},
      {"GET", "/both", "GET /both"},
      {"WS", "/chat/x", "WS /chat/:room room=x"},
      {"GET", "/chat/x", "426"},
      {"POST", "/chat/x", "405 GET, OPTIONS"},
      {"HEAD", "/chat/x", "405 GET, OPTIONS"},
      {"PUT", "/both", "405 GET, HEAD, OPTIONS"},
      {"WS", "/page", "GET /* *=page"}, /* nobody upgrades here: plain HTTP */
  };
  struct coho__routes rs;
  coho__routes_init(&rs);
  assert_int_equal(add(&rs, "WS", "/both"), 0);
  assert_int_equal(add(&rs, "GET", "/both"), 0);
  assert_int_equal(add(&rs, "WS", "/chat/:room"), 0);
  assert_int_equal(add(&rs, "GET", "/*"), 0);
  assert_int_equal(add(&rs, "POST", "/api"), 0);
  assert_int_equal(add(&rs, "POST", "/mixed"), 0);
  assert_int_equal(add(&rs, "WS", "/mixed"), 0);
  expect(&rs, rows, COHO_COUNT(rows));
  assert_string_equal(find(&rs, "GET", "/mixed"), "426");
  assert_string_equal(find(&rs, "PUT", "/mixed"), "405 POST, GET, OPTIONS");
  assert_string_equal(find(&rs, "WS", "/api"), "405 POST, OPTIONS");
  /* a WebSocket route, also when an HTTP route is more specific */
  assert_int_equal(add(&rs, "WS", "/*"), 0);
  assert_string_equal(find(&rs, "WS", "/api"), "WS /* *=api");
  coho__routes_free(&rs);
}

/* A proxy may have read it as one segment. */
static void test_A19_encoded_slash_has_no_route(void **state) {
  (void)state;
  static const struct row rows[] = {
      {"GET", "/admin%2fx", "404"},      {"GET", "/admin%2Fx", "404"},
      {"WS", "/..%2f", "404"},           {"GET", "/a%252fb", "GET /* *=a%2fb"},
      {"GET", "/a?b=%2f", "GET /* *=a"},
  };
  struct coho__routes rs;
  coho__routes_init(&rs);
  assert_int_equal(add(&rs, "GET", "/*"), 0);
  assert_int_equal(add(&rs, "WS", "/*"), 0);
  expect(&rs, rows, COHO_COUNT(rows));
  coho__routes_free(&rs);
}

static void test_add_refuses(void **state) {
  (void)state;
  static const struct {
    const char *method, *pattern;
    int err;
  } rows[] = {
      {"GET", "/a/:b", COHO_EEXISTS},
      {"GET", "/a/:other", COHO_EEXISTS},
      {"WS", "/a/:b", COHO_EEXISTS},
      {"POST", "/a/:b", 0},
      {"GET", "", COHO_EINVAL},
      {"GET", "a", COHO_EINVAL},
      {"GET", "/*/a", COHO_EINVAL},
      {"GET", "/a*", COHO_EINVAL},
      {"GET", "/:", COHO_EINVAL},
      {"GET", "/:a/:a", COHO_EINVAL},
      {"GET", "/a?b", COHO_EINVAL},
      {"GET", "/a#b", COHO_EINVAL},
      {"GET", "/a\nb", COHO_EINVAL},
      {"", "/b", COHO_EINVAL},
      {"G T", "/b", COHO_EINVAL},
      {"GET", "/:1/:2/:3/:4/:5/:6/:7/:8", 0},
      {"GET", "/:1/:2/:3/:4/:5/:6/:7/:8/:9", COHO_EINVAL},
      {"GET", "/:1/:2/:3/:4/:5/:6/:7/:8/*", COHO_EINVAL},
  };
  struct coho__routes rs;
  coho__routes_init(&rs);
  assert_int_equal(add(&rs, "GET", "/a/:b"), 0);
  assert_int_equal(add(&rs, "WS", "/a/:b"), 0);
  for (size_t i = 0; i < COHO_COUNT(rows); i++) {
    int err = add(&rs, rows[i].method, rows[i].pattern);
    if (err != rows[i].err) fail_msg("%s: %s", rows[i].pattern, coho_errname(err));
  }
  coho__routes_free(&rs);
}

static void count_free(void *ctx) { ++*(int *)ctx; }

/* The table owns ctx when it took the route, not before. */
static void test_ctx_is_freed_once(void **state) {
  (void)state;
  static char method[] = "GET";
  int freed = 0;
  struct coho__route route = {.kind = COHO_ROUTE_HTTP,
                              .method = method,
                              .serve = serve,
                              .ctx = &freed,
                              .free_ctx = count_free};
  struct coho__routes rs;
  coho__routes_init(&rs);
  assert_int_equal(coho__routes_add(&rs, "/a", &route), 0);
  assert_int_equal(coho__routes_add(&rs, "/a", &route), COHO_EEXISTS);
  assert_int_equal(freed, 0);
  coho__routes_free(&rs);
  assert_int_equal(freed, 1);
}

static void test_out_of_memory(void **state) {
  (void)state;
  for (long i = 1;; i++) {
    struct coho__routes rs;
    struct coho__match m;
    coho_request r;
    coho__routes_init(&rs);
    alloc_fail_at(0);
    parse(&r, "GET", "/a/b");
    alloc_fail_at(i);
    int err = add(&rs, "GET", "/:x/:y");
    if (!err) err = coho__routes_find(&rs, &r, &m);
    assert_int_equal(err, alloc_failed() ? COHO_ENOMEM : 0);
    coho__request_free(&r);
    coho__routes_free(&rs);
    alloc_assert_none_live();
    if (!alloc_failed()) break;
  }
  alloc_fail_at(0);
}

int main(void) {
  alloc_fail_at(0);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_most_specific_wins),
      cmocka_unit_test(test_rest_is_also_nothing),
      cmocka_unit_test(test_methods),
      cmocka_unit_test(test_upgrade_decides),
      cmocka_unit_test(test_A19_encoded_slash_has_no_route),
      cmocka_unit_test(test_add_refuses),
      cmocka_unit_test(test_ctx_is_freed_once),
      cmocka_unit_test(test_out_of_memory),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
