#define _GNU_SOURCE /* TIOCGPTN */
#include "http/serve_files.h"

#include "base/check.h"
#include "support/alloc_fail.h"
#include "unit/folder.h"
#include "unit/httpd.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cmocka.h>

#define FILE_FIELDS \
  "Cache-Control: no-cache\r\nAccept-Ranges: bytes\r\nX-Content-Type-Options: nosniff\r\n"

static const unsigned char page[] = "<!doctype html>";
static const unsigned char script[] = "0123456789";

static const unsigned char zipped[] = "zipped";

static const coho_asset assets[] = {
    {"/a/index.html", "text/html; charset=utf-8", "\"i1\"", page, sizeof page - 1, NULL, 0},
    {"/app.js", "text/javascript; charset=utf-8", "\"j1\"", script, sizeof script - 1, NULL, 0},
    {"/empty.txt", "text/plain; charset=utf-8", "\"e1\"", script, 0, NULL, 0},
    {"/index.html", "text/html; charset=utf-8", "\"h1\"", page, sizeof page - 1, NULL, 0},
};

/* With a second form. */
static const coho_asset both = {"/both.js", "text/javascript", "\"b1\"", script, sizeof script - 1,
                                zipped,     sizeof zipped - 1};

static struct httpd server;

static int set_up(void **state) {
  (void)state;
  folder_make();
  folder_write("index.html", "root", 4);
  folder_write("a.txt", "0123456789", 10);
  folder_write("sub/index.html", "sub", 3);
  folder_write("bare/file", "x", 1);
  folder_write("odd \xc3\xa4%?/index.html", "odd", 3);
  folder_write(".secret", "secret", 6);
  folder_write(".git/config", "secret", 6);
  folder_write("empty", "", 0);
  folder_link("/etc/passwd", "passwd");
  folder_link("/dev/zero", "zero");
  folder_fifo("fifo");
  httpd_start(&server);
  assert_int_equal(coho__files_route_dir(&server.routes, "/", folder_path()), 0);
  assert_int_equal(coho__files_route_assets(&server.routes, "/assets", assets, COHO_COUNT(assets),
                                            sizeof *assets),
                   0);
  return 0;
}

static int tear_down(void **state) {
  (void)state;
  httpd_stop(&server);
  folder_remove();
  return 0;
}

/* The answer to METHOD TARGET with these further fields. */
static const char *ask_with(const char *method, const char *target, const char *fields) {
  static char request[80000];
  (void)snprintf(request, sizeof request, "%s %s HTTP/1.1\r\nHost: a\r\n%s\r\n", method, target,
                 fields);
  return httpd_ask(&server, request);
}

static const char *get(const char *target) { return ask_with("GET", target, ""); }

/* "STATUS" and "BODY" of an answer, as "206 234". */
static const char *brief(const char *answer) {
  static char text[256];
  const char *body = strstr(answer, "\r\n\r\n");
  assert_non_null(body);
  (void)snprintf(text, sizeof text, "%.3s %s", answer + 9, body + 4);
  return text;
}

/* The value of a field of an answer, "" when absent. */
static const char *field(const char *answer, const char *name) {
  static char value[256];
  char start[64];
  (void)snprintf(start, sizeof start, "\r\n%s: ", name);
  const char *at = strstr(answer, start);
  if (!at) return "";
  at += strlen(start);
  (void)snprintf(value, sizeof value, "%.*s", (int)strcspn(at, "\r"), at);
  return value;
}

/* ---- what is served -------------------------------------------------------------------------- */

static void test_asset_of_two_forms(void **state) {
  (void)state;
  assert_int_equal(coho__files_route_assets(&server.routes, "/two", &both, 1, sizeof both), 0);
  const char *plain = get("/two/both.js");
  assert_string_equal(brief(plain), "200 0123456789");
  assert_string_equal(field(plain, "ETag"), "\"b1\"");
  assert_string_equal(field(plain, "Content-Encoding"), "");
  assert_string_equal(field(plain, "Vary"), "Accept-Encoding");
  const char *packed = ask_with("GET", "/two/both.js", "Accept-Encoding: gzip, br\r\n");
  assert_string_equal(brief(packed), "200 zipped");
  assert_string_equal(field(packed, "ETag"), "\"b1-gz\"");
  assert_string_equal(field(packed, "Content-Encoding"), "gzip");
  assert_string_equal(field(packed, "Content-Length"), "6");
  assert_string_equal(field(packed, "Vary"), "Accept-Encoding");
  /* Each is known by its own tag, which a 304 repeats (RFC 9110 15.4.5). */
  const char *known =
      ask_with("GET", "/two/both.js", "Accept-Encoding: gzip\r\nIf-None-Match: \"b1-gz\"\r\n");
  assert_string_equal(brief(known), "304 ");
  assert_string_equal(field(known, "ETag"), "\"b1-gz\"");
  assert_string_equal(field(known, "Vary"), "Accept-Encoding");
  assert_string_equal(field(known, "Content-Encoding"), "");
  assert_string_equal(
      brief(ask_with("GET", "/two/both.js", "Accept-Encoding: gzip\r\nIf-None-Match: \"b1\"\r\n")),
      "200 zipped");
  assert_string_equal(
      brief(ask_with("GET", "/two/both.js", "Accept-Encoding: gzip\r\nRange: bytes=1-2\r\n")),
      "206 ip");
  assert_string_equal(field(get("/assets/app.js"), "Vary"), "");
}

static int first_try;

/* Of what is given by hand the path does not count. */
static void give(coho_request *r, void *ctx) {
  (void)ctx;
  coho_asset asset = both;
  asset.path = NULL;
  asset.etag = "no tag";
  first_try = coho_reply_asset(r, &asset);
  asset.etag = both.etag;
  assert_int_equal(coho_reply_asset(r, &asset), 0);
  assert_int_equal(coho_reply_asset(r, &asset), COHO_EBUSY);
}

static void test_asset_by_a_handler(void **state) {
  (void)state;
  assert_int_equal(coho_reply_asset(NULL, &both), COHO_EINVAL);
  httpd_route(&server, "GET", "/given", give);
  assert_string_equal(brief(get("/given")), "200 0123456789");
  assert_int_equal(first_try, COHO_EINVAL);
  assert_string_equal(brief(ask_with("GET", "/given", "Accept-Encoding: gzip\r\n")), "200 zipped");
  assert_string_equal(brief(ask_with("GET", "/given", "If-None-Match: \"b1\"\r\n")), "304 ");
  assert_string_equal(brief(ask_with("GET", "/given", "Range: bytes=2-4\r\n")), "206 234");
  assert_string_equal(brief(ask_with("HEAD", "/given", "")), "200 ");
}

static void test_asset(void **state) {
  (void)state;
  httpd_expect(&server, "GET /assets/app.js HTTP/1.1\r\nHost: a\r\n\r\n",
               "HTTP/1.1 200 OK\r\nDate: -\r\nContent-Length: 10\r\n"
               "Content-Type: text/javascript; charset=utf-8\r\n"
               "ETag: \"j1\"\r\n" FILE_FIELDS "\r\n0123456789");
  httpd_expect(&server, "HEAD /assets/ HTTP/1.1\r\nHost: a\r\n\r\n",
               "HTTP/1.1 200 OK\r\nDate: -\r\nContent-Length: 15\r\n"
               "Content-Type: text/html; charset=utf-8\r\n"
               "ETag: \"h1\"\r\n" FILE_FIELDS "\r\n");
  assert_string_equal(brief(get("/assets/a/")), "200 <!doctype html>");
  assert_string_equal(brief(get("/assets/empty.txt")), "200 ");
  assert_string_equal(get("/assets/nope"), NOT_FOUND);
  assert_string_equal(get("/assets/app.js/"), NOT_FOUND);
  assert_string_equal(get("/assets/b/"), NOT_FOUND);
}

static void test_file(void **state) {
  (void)state;
  const char *answer = get("/a.txt");
  assert_string_equal(brief(answer), "200 0123456789");
  assert_string_equal(field(answer, "Content-Type"), "text/plain; charset=utf-8");
  assert_string_equal(field(answer, "X-Content-Type-Options"), "nosniff");
  assert_string_equal(field(answer, "Cache-Control"), "no-cache");
  assert_string_equal(field(answer, "Content-Security-Policy"), "");
  assert_int_equal(strlen(field(answer, "Last-Modified")), 29);
  assert_string_equal(brief(get("/")), "200 root");
  assert_string_equal(brief(get("/sub/")), "200 sub");
  assert_string_equal(brief(get("/index.html")), "200 root");
  assert_string_equal(brief(get("/empty")), "200 ");
  assert_string_equal(brief(ask_with("HEAD", "/a.txt", "")), "200 ");
  assert_string_equal(field(ask_with("HEAD", "/a.txt", ""), "Content-Length"), "10");
}

static void test_folder_redirects(void **state) {
  (void)state;
  static const char *const rows[][2] = {
      {"/sub", "/sub/"},
      {"/sub?a=b&c", "/sub/?a=b&c"},
      {"http://h/sub?x", "/sub/?x"},
      {"/odd%20%C3%a4%25%3f", "/odd%20%C3%A4%25%3F/"},
      {"/assets", "/assets/"},
      {"/assets/a", "/assets/a/"},
  };
  for (size_t i = 0; i < COHO_COUNT(rows); i++) {
    const char *answer = get(rows[i][0]);
    assert_memory_equal(answer, "HTTP/1.1 301 ", 13);
    assert_string_equal(field(answer, "Location"), rows[i][1]);
  }
  assert_string_equal(get("/bare/"), NOT_FOUND); /* no listing */
}

static void test_methods(void **state) {
  (void)state;
  static const char *const methods[] = {"POST", "PUT", "DELETE", "TRACE", "BREW"};
  for (size_t i = 0; i < COHO_COUNT(methods); i++) {
    const char *answer = ask_with(methods[i], "/a.txt", "");
    assert_memory_equal(answer, "HTTP/1.1 405 ", 13);
    assert_string_equal(field(answer, "Allow"), "GET, HEAD, OPTIONS");
  }
  assert_memory_equal(ask_with("OPTIONS", "/a.txt", ""), "HTTP/1.1 204 ", 13);
}

/* ---- what is not ----------------------------------------------------------------------------- */

static void test_A19_traversal(void **state) {
  (void)state;
  static const char *const rows[] = {
      "/../etc/passwd",
      "/..",
      "/../",
      "/%2e%2e/etc/passwd",
      "/%2e%2e%2fetc/passwd",
      "/..%2f..%2fetc/passwd",
      "/..%5c..%5cetc/passwd",
      "/..\\..\\etc\\passwd",
      "/%252e%252e/etc/passwd",
      "/a//..//b",
      "//etc/passwd",
      "//",
      "/sub/../a.txt",
      "/sub/./index.html",
      "/./a.txt",
      "/sub//index.html",
      "/a.txt/",
      "/a.txt/x",
      "/.secret",
      "/%2esecret",
      "/.git/config",
      "/.git/",
      "/passwd",
      "/zero",
      "/fifo",
      "/a.txt%0a",
      "/a.txt%20",
      "/a.txt.",
      "/A.TXT",
      "/nope",
      "/assets/../a.txt",
      "/assets//app.js",
      "/assets/%2e/app.js",
  };
  for (size_t i = 0; i < COHO_COUNT(rows); i++) {
    const char *answer = get(rows[i]);
    bool refused = strncmp(answer, "HTTP/1.1 400 ", 13) == 0; /* not even a path */
    if (!refused && strcmp(answer, NOT_FOUND) != 0) fail_msg("%s:\n%s", rows[i], answer);
  }
  assert_memory_equal(get("/a%00.txt"), "HTTP/1.1 400 ", 13);
}

static void test_A19_long_path(void **state) {
  (void)state;
  static char path[65536];
  memset(path, 'a', sizeof path - 1);
  path[0] = '/';
  for (size_t len = 7000; len > 100; len -= 97) {
    path[len] = 0;
    assert_string_equal(get(path), NOT_FOUND);
    path[len] = 'a';
  }
  for (size_t i = 100; i < sizeof path; i += 100)
    path[i] = '/';
  for (size_t len = 8100; len > 3000; len -= 33) {
    char was = path[len];
    path[len] = 0;
    const char *answer = get(path);
    assert_true(strcmp(answer, NOT_FOUND) == 0);
    path[len] = was;
  }
  path[sizeof path - 1] = 0;
  assert_memory_equal(get(path), "HTTP/1.1 414 ", 13);
}

/* ---- conditions and ranges ------------------------------------------------------------------- */

static void test_conditions(void **state) {
  (void)state;
  char etag[64], date[40], fields[200];
  const char *answer = get("/a.txt");
  (void)snprintf(etag, sizeof etag, "%s", field(answer, "ETag"));
  (void)snprintf(date, sizeof date, "%s", field(answer, "Last-Modified"));
  (void)snprintf(fields, sizeof fields, "If-None-Match: %s\r\n", etag);
  answer = ask_with("GET", "/a.txt", fields);
  assert_string_equal(brief(answer), "304 ");
  assert_string_equal(field(answer, "ETag"), etag);
  assert_string_equal(field(answer, "Content-Length"), "");
  (void)snprintf(fields, sizeof fields, "If-Modified-Since: %s\r\n", date);
  assert_string_equal(brief(ask_with("GET", "/a.txt", fields)), "304 ");
  assert_string_equal(brief(ask_with("HEAD", "/a.txt", fields)), "304 ");
  assert_string_equal(brief(ask_with("GET", "/a.txt", "If-Match: \"other\"\r\n")),
                      "412 Precondition Failed\n");
  folder_write("a.txt", "changed", 7);
  (void)snprintf(fields, sizeof fields, "If-None-Match: %s\r\n", etag);
  assert_string_equal(brief(ask_with("GET", "/a.txt", fields)), "200 changed");
  assert_string_equal(
      brief(ask_with("GET", "/assets/app.js", "If-None-Match: W/\"x\", \"j1\"\r\n")), "304 ");
}

static void test_attack_48_ranges(void **state) {
  (void)state;
  static const char *const targets[] = {"/a.txt", "/assets/app.js"};
  static const char *const rows[][3] = {
      {"Range: bytes=2-4\r\n", "206 234", "bytes 2-4/10"},
      {"Range: bytes=-3\r\n", "206 789", "bytes 7-9/10"},
      {"Range: bytes=9-\r\n", "206 9", "bytes 9-9/10"},
      {"Range: bytes=0-99999999999999999999999\r\n", "206 0123456789", "bytes 0-9/10"},
      {"Range: bytes=10-\r\n", "416 Range Not Satisfiable\n", "bytes */10"},
      {"Range: bytes=99999999999999999999999-\r\n", "416 Range Not Satisfiable\n", "bytes */10"},
      {"Range: bytes=0-1,3-4\r\n", "200 0123456789", ""},
      {"Range: bytes=0-1\r\nRange: bytes=3-4\r\n", "200 0123456789", ""},
      {"Range: lines=0-1\r\n", "200 0123456789", ""},
      {"Range: bytes=2-4\r\nIf-Range: \"other\"\r\n", "200 0123456789", ""},
      {"Range: bytes=2-4\r\nIf-None-Match: *\r\n", "304 ", ""},
  };
  for (size_t t = 0; t < COHO_COUNT(targets); t++) {
    for (size_t i = 0; i < COHO_COUNT(rows); i++) {
      const char *answer = ask_with("GET", targets[t], rows[i][0]);
      assert_string_equal(brief(answer), rows[i][1]);
      assert_string_equal(field(answer, "Content-Range"), rows[i][2]);
    }
    /* RFC 9110 14.2: only a GET has ranges */
    assert_string_equal(brief(ask_with("HEAD", targets[t], "Range: bytes=2-4\r\n")), "200 ");
  }
  assert_string_equal(
      brief(ask_with("GET", "/assets/app.js", "Range: bytes=2-4\r\nIf-Range: \"j1\"\r\n")),
      "206 234");
}

/* ---- large files ----------------------------------------------------------------------------- */

enum { BIG = 3 * 1024 * 1024 };

static char *big_file(void) {
  char *data = (char *)malloc(BIG);
  assert_non_null(data);
  for (size_t i = 0; i < BIG; i++)
    data[i] = (char)(i * 2654435761U >> 13);
  folder_write("big", data, BIG);
  return data;
}

/* It comes whole to a peer that takes it in pieces, and is never in memory. */
static void test_big_file(void **state) {
  (void)state;
  struct client c;
  char *data = big_file();
  client_open(&c, &server, 10000, 0);
  c.paused = true;
  size_t before = alloc_live();
  client_say(&c, "GET /big HTTP/1.1\r\nHost: a\r\n\r\nGET /a.txt HTTP/1.1\r\nHost: a\r\n\r\n");
  assert_true(alloc_live() - before < 8192);
  c.paused = false;
  coho__stream_again(c.s, COHO_IO_READ);
  httpd_settle(&server);
  char *body = strstr(c.in, "\r\n\r\n") + 4;
  assert_true(c.len > BIG);
  assert_memory_equal(body, data, BIG);
  assert_string_equal(brief(body + BIG), "200 0123456789");
  client_close(&c);
  free(data);
}

/* What was promised cannot be kept: the connection breaks, nobody takes it for the whole file. */
static void test_file_shrinks(void **state) {
  (void)state;
  struct client c;
  free(big_file());
  client_open(&c, &server, 10000, 0);
  c.paused = true;
  client_say(&c, "GET /big HTTP/1.1\r\nHost: a\r\n\r\n");
  folder_write("big", "small", 5);
  c.paused = false;
  coho__stream_again(c.s, COHO_IO_READ);
  httpd_settle(&server);
  assert_true(c.eof);
  assert_true(c.err < 0);
  client_close(&c);
}

/* The peer leaves in the middle: the file is closed. */
static void test_big_file_abandoned(void **state) {
  (void)state;
  struct client c;
  free(big_file());
  int lowest = dup(0);
  close(lowest);
  client_open(&c, &server, 10000, 0);
  c.paused = true;
  client_say(&c, "GET /big HTTP/1.1\r\nHost: a\r\n\r\n");
  client_close(&c);
  int after = dup(0);
  close(after);
  assert_int_equal(after, lowest);
}

/* ---- routes ---------------------------------------------------------------------------------- */

static void test_route_errors(void **state) {
  (void)state;
  struct coho__routes *rs = &server.routes;
  assert_int_equal(coho__files_route_dir(rs, "/x", "/nowhere/at/all"), COHO_ENOENT);
  assert_int_equal(coho__files_route_dir(rs, "/x", NULL), COHO_EINVAL);
  assert_int_equal(coho__files_route_dir(rs, "x", folder_path()), COHO_EINVAL);
  assert_int_equal(coho__files_route_dir(rs, NULL, folder_path()), COHO_EINVAL);
  assert_int_equal(coho__files_route_dir(rs, "", folder_path()), COHO_EINVAL);
  assert_int_equal(coho__files_route_dir(rs, "/", folder_path()), COHO_EEXISTS);
  assert_int_equal(coho__files_route_dir(rs, "/assets/", folder_path()), COHO_EEXISTS);
  assert_int_equal(coho__files_route_assets(rs, "/x", NULL, 1, sizeof *assets), COHO_EINVAL);
  assert_int_equal(coho__files_route_assets(rs, "/none", NULL, 0, sizeof *assets), 0);
  assert_string_equal(get("/none/a"), NOT_FOUND);
}

static void test_assets_are_checked(void **state) {
  (void)state;
  static char long_type[257], long_etag[81];
  memset(long_type, 'a', sizeof long_type - 1);
  memset(long_etag, 'e', sizeof long_etag - 1);
  long_etag[0] = long_etag[79] = '"';
  const coho_asset rows[] = {
      {NULL, "text/plain", "\"e\"", page, 1, NULL, 0},
      {"", "text/plain", "\"e\"", page, 1, NULL, 0},
      {"a", "text/plain", "\"e\"", page, 1, NULL, 0},
      {"/a", NULL, "\"e\"", page, 1, NULL, 0},
      {"/a", "", "\"e\"", page, 1, NULL, 0},
      {"/a", "text/plain\r\nX: y", "\"e\"", page, 1, NULL, 0},
      {"/a", long_type, "\"e\"", page, 1, NULL, 0},
      {"/a", "text/plain", NULL, page, 1, NULL, 0},
      {"/a", "text/plain", "", page, 1, NULL, 0},
      {"/a", "text/plain", "\"", page, 1, NULL, 0},
      {"/a", "text/plain", "e", page, 1, NULL, 0},
      {"/a", "text/plain", "W/\"e\"", page, 1, NULL, 0},
      {"/a", "text/plain", "\"e\"e\"", page, 1, NULL, 0},
      {"/a", "text/plain", "\"e\r\nX: y\"", page, 1, NULL, 0},
      {"/a", "text/plain", "\"e e\"", page, 1, NULL, 0},
      {"/a", "text/plain", long_etag, page, 1, NULL, 0},
      {"/a", "text/plain", "\"e\"", NULL, 1, NULL, 0},
      {"/a", "text/plain", "\"e\"", page, 1, NULL, 1},
  };
  struct coho__routes *rs = &server.routes;
  for (size_t i = 0; i < COHO_COUNT(rows); i++)
    assert_int_equal(coho__files_route_assets(rs, "/x", &rows[i], 1, sizeof *rows), COHO_EINVAL);
  const coho_asset unsorted[] = {{"/b", "a/b", "\"e\"", page, 1, NULL, 0},
                                 {"/a", "a/b", "\"e\"", page, 1, NULL, 0}};
  assert_int_equal(coho__files_route_assets(rs, "/x", unsorted, 2, sizeof *unsorted), COHO_EINVAL);
  long_type[255] = long_etag[79] = 0;
  long_etag[78] = '"';
  const coho_asset longest = {"/a", long_type, long_etag, NULL, 0, NULL, 0};
  assert_int_equal(coho__files_route_assets(rs, "/x", &longest, 1, sizeof longest), 0);
  const char *answer = get("/x/a");
  assert_string_equal(field(answer, "ETag"), long_etag);
  assert_string_equal(field(answer, "Content-Type"), long_type);
}

/* A program that was compiled for a later version has larger ones. */
static void test_assets_of_another_size(void **state) {
  (void)state;
  struct {
    coho_asset asset;
    const char *later;
  } large[2] = {{assets[0], NULL}, {assets[1], NULL}};
  struct coho__routes *rs = &server.routes;
  assert_int_equal(coho__files_route_assets(rs, "/x", &large[0].asset, 2, sizeof *large), 0);
  assert_string_equal(brief(get("/x/app.js")), "200 0123456789");
  large[1].later = "something new";
  assert_int_equal(coho__files_route_assets(rs, "/y", &large[0].asset, 2, sizeof *large),
                   COHO_EOPTION);
}

static void test_fields_of_every_file(void **state) {
  (void)state;
  static const char *const fine[] = {"X-A:b", "Content-Security-Policy: default-src 'self' ", NULL};
  static const char *const wrong[] = {
      "", "X-A", ":b", "X A: b", "X-A: b\r\n", "Connection: b", "eTag: \"\"", "Cache-Control: b"};
  static char too_long[8200];
  struct coho__buf *fields = &server.conf.file_fields;
  assert_int_equal(coho__files_fields(NULL, fields), 0);
  assert_int_equal(coho__files_fields(fine, fields), 0);
  static const char *const targets[] = {"/a.txt", "/assets/app.js"};
  for (size_t i = 0; i < COHO_COUNT(targets); i++) {
    const char *answer = get(targets[i]);
    assert_string_equal(field(answer, "X-A"), "b");
    assert_string_equal(field(answer, "Content-Security-Policy"), "default-src 'self'");
  }
  for (size_t i = 0; i < COHO_COUNT(wrong); i++) {
    const char *const list[] = {wrong[i], NULL};
    assert_int_equal(coho__files_fields(list, fields), COHO_EOPTION);
  }
  memset(too_long, 'a', sizeof too_long - 1);
  too_long[1] = ':';
  const char *const list[] = {too_long, NULL};
  assert_int_equal(coho__files_fields(list, fields), COHO_EOPTION);
  coho__buf_release(fields);
}

static char error_line[200];

static void on_error_line(void *ctx, int level, const char *line) {
  (void)ctx;
  (void)level;
  (void)snprintf(error_line, sizeof error_line, "%s", line);
}

/* A disk that fails is no missing file, and nobody may keep a 404 for it. A terminal whose master
   is still locked gives EIO, too. */
static void test_failing_disk_is_500(void **state) {
  (void)state;
  unsigned number = 0;
  char target[40];
  int terminal = open("/dev/ptmx", O_RDWR | O_NOCTTY);
  if (terminal < 0 || ioctl(terminal, TIOCGPTN, &number)) skip();
  assert_int_equal(coho__files_route_dir(&server.routes, "/pts", "/dev/pts"), 0);
  (void)snprintf(target, sizeof target, "/pts/%u", number);
  coho_set_log(on_error_line, NULL, COHO_LOG_ERROR);
  assert_memory_equal(get(target), "HTTP/1.1 500 ", 13);
  assert_non_null(strstr(error_line, "the operating system refused"));
  close(terminal);
}

static void test_out_of_memory(void **state) {
  (void)state;
  for (long i = 1;; i++) {
    alloc_fail_at(i);
    int err = coho__files_route_dir(&server.routes, "/oom", folder_path());
    bool failed = alloc_failed();
    alloc_fail_at(0);
    assert_int_equal(err, failed ? COHO_ENOMEM : 0);
    if (!failed) break;
  }
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
  alloc_fail_at(0);
  const struct CMUnitTest tests[] = {
      TEST(test_asset),
      TEST(test_asset_of_two_forms),
      TEST(test_asset_by_a_handler),
      TEST(test_file),
      TEST(test_folder_redirects),
      TEST(test_methods),
      TEST(test_A19_traversal),
      TEST(test_A19_long_path),
      TEST(test_conditions),
      TEST(test_attack_48_ranges),
      TEST(test_big_file),
      TEST(test_file_shrinks),
      TEST(test_big_file_abandoned),
      TEST(test_route_errors),
      TEST(test_assets_are_checked),
      TEST(test_assets_of_another_size),
      TEST(test_fields_of_every_file),
      TEST(test_failing_disk_is_500),
      TEST(test_out_of_memory),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
