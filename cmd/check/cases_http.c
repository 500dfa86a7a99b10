/* http: requests that are no HTTP, or that two parsers could read in two ways. */
#include "bytes.h"
#include "cases.h"
#include "expect.h"
#include "refusal.h"
#include "verdict.h"

#include "base/check.h"

#include <stdio.h>

static const char lines[] = "RFC 6455 4.2.1, RFC 9112 2.2, 5";
static const char lengths[] = "RFC 9112 6.3";

/* What RFC 9112 lets a server mend instead of refusing is informational. */
/* clang-format off */
static const struct refusal_row rows[] = {
  {"http.space-before-colon", "blank between the name of a field and its colon", "RFC 9112 5.1",
   {.more = "X-Space : 1\r\n"}, REFUSAL_ERROR, 0, EDIT_NONE},
  {"http.no-colon", "field without a colon", lines, {.more = "Nonsense\r\n"}, REFUSAL_ERROR, 0,
   EDIT_NONE},
  {"http.name-blank", "blank inside the name of a field", lines, {.more = "Bad Name: 1\r\n"}, REFUSAL_ERROR,
   0, EDIT_NONE},
  {"http.name-empty", "field without a name", lines, {.more = ": 1\r\n"}, REFUSAL_ERROR, 0, EDIT_NONE},
  {"http.name-control", "control character in the name of a field", lines, {.more = "X\x01Y: 1\r\n"},
   REFUSAL_ERROR, 0, EDIT_NONE},
  {"http.value-control", "control character in the value of a field", "RFC 9110 5.5",
   {.more = "X-Control: a\x01" "b\r\n"}, REFUSAL_ERROR, CASE_INFO, EDIT_NONE},
  {"http.value-nul", "NUL in the value of a field", "RFC 9110 5.5", {.more = "X-Nul: a\x01" "b\r\n"},
   REFUSAL_ERROR, CASE_INFO, EDIT_NUL},
  {"http.value-cr", "CR in the value of a field", "RFC 9110 5.5, RFC 9112 2.2", {.more = "X-Cr: a\rb\r\n"},
   REFUSAL_ERROR, CASE_INFO, EDIT_NONE},
  {"http.fold", "field that goes on on a second line", "RFC 9112 5.2", {.more = "X-Fold: a\r\n b\r\n"}, REFUSAL_ERROR,
   CASE_INFO, EDIT_NONE},
  {"http.fold-upgrade", "Upgrade whose value is on a second line", "RFC 9112 5.2",
   {.upgrade = "", .more = "Upgrade:\r\n websocket\r\n"}, REFUSAL_ERROR, CASE_INFO, EDIT_NONE},
  {"http.lf", "lines that end with LF alone", "RFC 9112 2.2", {.more = NULL}, REFUSAL_ERROR,
   CASE_INFO, EDIT_LF},
  {"http.length-twice", "two Content-Length fields that differ", lengths,
   {.more = "Content-Length: 0\r\nContent-Length: 1\r\n"}, REFUSAL_END, 0, EDIT_NONE},
  {"http.length-hex", "Content-Length: 0x10", lengths, {.more = "Content-Length: 0x10\r\n"},
   REFUSAL_END, 0, EDIT_NONE},
  {"http.length-plus", "Content-Length: +5", lengths, {.more = "Content-Length: +5\r\n"},
   REFUSAL_END, 0, EDIT_NONE},
  {"http.length-minus", "Content-Length: -1", lengths, {.more = "Content-Length: -1\r\n"},
   REFUSAL_END, 0, EDIT_NONE},
  {"http.length-huge", "Content-Length of 30 digits", lengths,
   {.more = "Content-Length: 123456789012345678901234567890\r\n"}, REFUSAL_ERROR, CASE_INFO,
   EDIT_NONE},
  {"http.length-and-chunked", "both Content-Length and Transfer-Encoding", lengths,
   {.more = "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n"}, REFUSAL_ERROR, CASE_INFO,
   EDIT_NONE},
  {"http.encoding-unknown", "Transfer-Encoding that does not end with chunked", lengths,
   {.more = "Transfer-Encoding: x-coho\r\n"}, REFUSAL_ERROR, 0, EDIT_NONE},
  {"http.encoding-blank", "blank before the colon of Transfer-Encoding", "RFC 9112 5.1",
   {.more = "Transfer-Encoding : chunked\r\n"}, REFUSAL_ERROR, 0, EDIT_NONE},
  {"http.body", "request that announces a body of 5 bytes", "RFC 9110 7.8",
   {.more = "Content-Length: 5\r\n"}, REFUSAL_ERROR, CASE_INFO, EDIT_NONE},
  {"http.method-case", "request with the method 'get'", "RFC 9110 9.1", {.method = "get"}, REFUSAL_ERROR, 0,
   EDIT_NONE},
  {"http.method-bytes", "request with a method of other bytes than letters", lines, {.method = "G\x80T"}, REFUSAL_ERROR, 0,
   EDIT_NONE},
  {"http.version-case", "request of the version http/1.1", "RFC 9112 2.3", {.version = "http/1.1"},
   REFUSAL_ERROR, 0, EDIT_NONE},
  {"http.version-other", "request of the version HTCPCP/1.1", "RFC 9112 2.3", {.version = "HTCPCP/1.1"},
   REFUSAL_ERROR, 0, EDIT_NONE},
  {"http.version-2", "request of the version HTTP/2.0", "RFC 9112 2.3", {.version = "HTTP/2.0"}, REFUSAL_ERROR,
   CASE_INFO, EDIT_NONE},
  {"http.version-long", "request of the version HTTP/1.1.1", "RFC 9112 2.3", {.version = "HTTP/1.1.1"},
   REFUSAL_ERROR, 0, EDIT_NONE},
  {"http.target-blank", "request target with a blank", "RFC 9112 3.2", {.target = "/a b"}, REFUSAL_ERROR,
   0, EDIT_NONE},
  {"http.preface", "the first line of HTTP/2: PRI * HTTP/2.0", "RFC 9112 3",
   {.method = "PRI", .target = "*", .version = "HTTP/2.0"}, REFUSAL_ERROR, 0, EDIT_NONE},
};
/* clang-format on */

static void run_row(struct check_run *r) { refusal_play(r, &rows[r->c->arg.flags]); }

/* arg: size: of one value, count: of lines. */
static void run_large(struct check_run *r) {
  const struct case_arg *a = &r->c->arg;
  struct bytes more = {NULL, 0, 0};
  for (size_t i = 0; i < a->count; i++) {
    bytes_printf(&more, "X-Large-%zu: ", i);
    for (size_t at = 0; at < a->size; at++)
      bytes_add_byte(&more, 'a');
    bytes_add_text(&more, "\r\n");
  }
  bytes_add_byte(&more, 0);
  struct request request = {.more = (const char *)more.data};
  if (play_connect(r) && play_ask(r, &request)) refusal_judge(r, REFUSAL_ERROR);
  bytes_free(&more);
}

/* The first bytes of a TLS handshake, and an empty line. */
static void run_not_http(struct check_run *r) {
  static const char hello[] = "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n";
  if (play_connect(r) && play_send_bytes(r, hello, sizeof hello - 1))
    refusal_judge(r, REFUSAL_ERROR);
}

/* clang-format off */
static const struct check_case cases[] = {
  {.id = "http.large", .title = "request with a field of 1 MiB", .rule = "RFC 6455 10.4, RFC 9112 3",
   .run = run_large, .flags = CASE_SERVER_ONLY | CASE_INFO, .arg = {.size = 1048576, .count = 1}},
  {.id = "http.many", .title = "request with 5000 fields", .rule = "RFC 6455 10.4, RFC 9112 5",
   .run = run_large, .flags = CASE_SERVER_ONLY | CASE_INFO, .arg = {.size = 8, .count = 5000}},
  {.id = "http.noise", .title = "the beginning of TLS instead of HTTP", .rule = "RFC 9112 2.2",
   .run = run_not_http, .flags = CASE_SERVER_ONLY | CASE_INFO},
};
/* clang-format on */

void cases_http(struct catalog *cat) {
  for (unsigned i = 0; i < COHO_COUNT(rows); i++) {
    struct check_case c = refusal_case(&rows[i], i, run_row);
    catalog_add(cat, &c);
  }
  catalog_add_all(cat, cases, COHO_COUNT(cases));
}
