/* The configuration file as tables read it: cmd/config.h, on a command that is made for it. */
#include "settle.h"

#include "base/check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

struct issuer {
  const char *name;
  struct option_list keys;
};

struct rule {
  const char *pattern;
  uint64_t count, grace;
  bool presence;
  struct option_rows issuers;
};

struct values {
  struct option_list listen, limit, pair;
  const char *root;
  uint64_t threads, size, verbose;
  bool demo;
  struct option_rows topics;
  struct {
    const char *cookie;
    bool anonymous;
    struct option_rows issuers;
  } auth;
};

static const struct option issuer_parts[] = {{.name = "name",
                                              .kind = OPTION_STRING,
                                              .offset = offsetof(struct issuer, name),
                                              .value = "NAME",
                                              .text = "who",
                                              .required = true},
                                             {.name = "keys",
                                              .kind = OPTION_LIST,
                                              .offset = offsetof(struct issuer, keys),
                                              .value = "FILE",
                                              .text = "keys"},
                                             {.name = NULL}};

static const struct option rule_parts[] = {{.name = "pattern",
                                            .kind = OPTION_STRING,
                                            .offset = offsetof(struct rule, pattern),
                                            .value = "PATTERN",
                                            .text = "which topics",
                                            .required = true},
                                           {.name = "history-count",
                                            .kind = OPTION_NUMBER,
                                            .offset = offsetof(struct rule, count),
                                            .value = "N",
                                            .usual = "1000",
                                            .text = "how many",
                                            .min = 1,
                                            .max = 9999},
                                           {.name = "grace",
                                            .kind = OPTION_SECONDS,
                                            .offset = offsetof(struct rule, grace),
                                            .value = "SECONDS",
                                            .usual = "2.5",
                                            .text = "how long"},
                                           {.name = "presence",
                                            .kind = OPTION_FLAG,
                                            .offset = offsetof(struct rule, presence),
                                            .text = "who is there"},
                                           {.name = "issuers",
                                            .kind = OPTION_ROWS,
                                            .offset = offsetof(struct rule, issuers),
                                            .parts = issuer_parts,
                                            .row_size = sizeof(struct issuer),
                                            .text = "whose tokens"},
                                           {.name = NULL}};

static const struct option auth_parts[] = {
    {.name = "cookie",
     .kind = OPTION_STRING,
     .offset = offsetof(struct values, auth.cookie) - offsetof(struct values, auth),
     .value = "NAME",
     .usual = "token",
     .text = "its name"},
    {.name = "anonymous",
     .kind = OPTION_FLAG,
     .offset = offsetof(struct values, auth.anonymous) - offsetof(struct values, auth),
     .text = "without"},
    {.name = "issuers",
     .kind = OPTION_ROWS,
     .offset = offsetof(struct values, auth.issuers) - offsetof(struct values, auth),
     .parts = issuer_parts,
     .row_size = sizeof(struct issuer),
     .text = "who signs"},
    {.name = NULL}};

static const struct option sections[] = {{.name = "topics",
                                          .kind = OPTION_ROWS,
                                          .offset = offsetof(struct values, topics),
                                          .parts = rule_parts,
                                          .row_size = sizeof(struct rule),
                                          .text = "rules"},
                                         {.name = "auth",
                                          .kind = OPTION_GROUP,
                                          .offset = offsetof(struct values, auth),
                                          .parts = auth_parts,
                                          .text = "who may"},
                                         {.name = NULL}};

static const struct option_pair limits[] = {
    {"head", "BYTES", "16k"}, {"fields", "N", NULL}, {NULL, NULL, NULL}};

static const struct option options[] = {
    {.name = "listen",
     .kind = OPTION_LIST,
     .offset = offsetof(struct values, listen),
     .value = "URL",
     .usual = "ws://127.0.0.1:8080",
     .text = "where"},
    {.name = "limit",
     .kind = OPTION_LIST,
     .offset = offsetof(struct values, limit),
     .value = "NAME=VALUE",
     .pairs = limits,
     .text = "limits"},
    {.name = "root",
     .kind = OPTION_STRING,
     .offset = offsetof(struct values, root),
     .files = OPTION_FILE,
     .value = "DIR",
     .text = "files"},
    {.name = "threads",
     .kind = OPTION_NUMBER,
     .offset = offsetof(struct values, threads),
     .value = "N",
     .usual = "1",
     .text = "threads",
     .min = 1,
     .max = 8},
    {.name = "size",
     .kind = OPTION_SIZE,
     .offset = offsetof(struct values, size),
     .value = "BYTES",
     .usual = "1M",
     .text = "size"},
    {.name = "verbose",
     .letter = 'v',
     .kind = OPTION_COUNT,
     .offset = offsetof(struct values, verbose),
     .live = true,
     .text = "more"},
    {.name = "pair",
     .kind = OPTION_LIST,
     .offset = offsetof(struct values, pair),
     .files = OPTION_FILES,
     .value = "A,B",
     .text = "two files"},
    {.name = "demo", .kind = OPTION_FLAG, .offset = offsetof(struct values, demo), .text = "demo"},
    {.name = NULL}};

/* What a command finds wrong: of a rule, of a text, and of options that do not go together. */
static int check(const struct command *c, void *values) {
  const struct values *v = (const struct values *)values;
  const struct rule *rules = (const struct rule *)v->topics.items;
  int status = 0;
  for (size_t i = 0; i < v->topics.count; i++) {
    if (rules[i].pattern && !strcmp(rules[i].pattern, "bad"))
      status |= usage_error_about(c, rules[i].pattern, "--pattern is not '%s'", rules[i].pattern);
    if (rules[i].presence && rules[i].grace == 0)
      status |= usage_error_about(c, &rules[i], "presence needs grace");
  }
  if (v->demo && v->root) status |= usage_error(c, "--demo and --root do not go together");
  return status;
}

static const struct command command = {
    .name = "test", .arguments = "", .options = options, .sections = sections, .max_arguments = 0};

/* ---- the stage ------------------------------------------------------------------------------- */

static char file[] = "/tmp/coho-test-config-XXXXXX";
static char told[16384];
static struct values v;
static struct settled s;

static void keep(const char *text) {
  /* Without the name of the file, which is another one each time. */
  if (!strncmp(text, file, strlen(file))) text += strlen(file) + 1;
  size_t len = strlen(told);
  (void)snprintf(told + len, sizeof told - len, "%s\n", text);
}

static void end(void) {
  option_free(options, &v);
  option_free(sections, &v);
  settle_free(&s);
  memset(&v, 0, sizeof v);
}

static int settle_with(const char *text, char *const *argv) {
  char name[] = "test";
  char *words[8] = {name};
  int argc = 1;
  for (; argv && argv[argc - 1]; argc++)
    words[argc] = argv[argc - 1];
  FILE *f = fopen(file, "w");
  assert_non_null(f);
  assert_true(fputs(text, f) >= 0);
  assert_int_equal(fclose(f), 0);
  const struct settle_source from = {
      .command = &command, .argc = argc, .argv = words, .file = file, .check = check};
  memset(&v, 0, sizeof v);
  told[0] = '\0';
  int status = settle(&from, &v, &s);
  faults_tell(&s.faults, "coho test", keep);
  return status;
}

static void is_fine(const char *text) {
  int status = settle_with(text, NULL);
  assert_string_equal(told, "");
  assert_int_equal(status, 0);
}

static void is_wrong(const char *text, const char *sentences) {
  assert_int_equal(settle_with(text, NULL), EXIT_USAGE);
  assert_string_equal(told, sentences);
  end();
}

static int setup(void **state) {
  (void)state;
  int fd = mkstemp(file);
  if (fd < 0) return -1;
  close(fd);
  return 0;
}

static int teardown(void **state) {
  (void)state;
  return unlink(file);
}

/* ---- values ---------------------------------------------------------------------------------- */

static void test_empty_is_all_defaults(void **state) {
  (void)state;
  is_fine("");
  assert_int_equal(v.threads, 1);
  assert_int_equal(v.size, 1024 * 1024);
  assert_int_equal(v.listen.count, 0);
  assert_null(v.root);
  assert_false(v.demo);
  assert_string_equal(v.auth.cookie, "token");
  assert_int_equal(v.topics.count, 0);
  end();
}

static void test_values_of_each_kind(void **state) {
  (void)state;
  is_fine("listen: [a, 'b']\nlimit: {head: 8k}\nroot: yes\nthreads: 0003\nsize: \"2k\"\n"
          "verbose: 2\ndemo: false\n");
  assert_string_equal(v.listen.items[0], "a");
  assert_string_equal(v.listen.items[1], "b");
  assert_null(v.listen.items[2]);
  assert_string_equal(v.limit.items[0], "head=8k");
  assert_string_equal(v.root, "/tmp/yes");
  assert_int_equal(v.threads, 3);
  assert_int_equal(v.size, 2048);
  assert_int_equal(v.verbose, 2);
  end();
  is_fine("listen: one\nlimit: [head=1, fields=2]\nroot: ''\n");
  assert_int_equal(v.listen.count, 1);
  assert_int_equal(v.limit.count, 2);
  assert_string_equal(v.root, "");
  end();
}

static void test_rows_and_groups(void **state) {
  (void)state;
  is_fine("topics:\n"
          "  - pattern: a/#\n"
          "    issuers: [{name: x, keys: [k1, k2]}, {name: y}]\n"
          "  - {pattern: b, history-count: 5, grace: 0.5, presence: true}\n"
          "auth:\n"
          "  anonymous: true\n"
          "  issuers:\n"
          "    - name: z\n");
  assert_int_equal(v.topics.count, 2);
  const struct rule *rules = (const struct rule *)v.topics.items;
  assert_string_equal(rules[0].pattern, "a/#");
  assert_int_equal(rules[0].count, 1000);
  assert_int_equal(rules[0].grace, 2500);
  assert_int_equal(rules[0].issuers.count, 2);
  const struct issuer *issuers = (const struct issuer *)rules[0].issuers.items;
  assert_string_equal(issuers[0].keys.items[1], "k2");
  assert_int_equal(issuers[1].keys.count, 0);
  assert_int_equal(rules[1].count, 5);
  assert_int_equal(rules[1].grace, 500);
  assert_true(rules[1].presence);
  assert_true(v.auth.anonymous);
  assert_string_equal(v.auth.cookie, "token");
  assert_int_equal(v.auth.issuers.count, 1);
  struct fault_place place = faults_find(&s.faults, &rules[1]);
  assert_int_equal(place.line, 4);
  assert_int_equal(place.column, 5);
  end();
  is_fine("topics: []\nauth: {}\n");
  end();
}

static void test_command_line_replaces(void **state) {
  (void)state;
  static char listen[] = "--listen=c", more[] = "--listen=d", no_demo[] = "--demo=false",
              letter[] = "-v";
  char *const argv[] = {listen, more, no_demo, letter, NULL};
  assert_int_equal(settle_with("listen: [a, b]\ndemo: true\nroot: x\nverbose: 2\n", argv), 0);
  assert_int_equal(v.listen.count, 2);
  assert_string_equal(v.listen.items[0], "c");
  assert_false(v.demo);
  assert_int_equal(v.verbose, 1);
  end();
}

/* ---- what is wrong --------------------------------------------------------------------------- */

static void test_wrong_rows(void **state) {
  (void)state;
  is_wrong("topics:\n"
           "  - patern: a\n"
           "  - pattern: bad\n"
           "    history-count: 0\n"
           "  - pattern: c\n"
           "    presence: true\n"
           "    grace: 0\n"
           "  - d\n"
           "  - pattern: [e]\n"
           "    issuers:\n"
           "      - {keys: k}\n",
           "2:5: topics has no 'patern'; did you mean pattern?\n"
           "2:5: topics needs pattern\n"
           "3:14: pattern is not 'bad'\n"
           "4:20: history-count is at least 1, not '0'\n"
           "5:5: presence needs grace\n"
           "8:5: topics takes a mapping, not a value\n"
           "9:14: pattern takes one value, not a list\n"
           "11:9: issuers needs name\n");
}

static void test_wrong_kinds(void **state) {
  (void)state;
  is_wrong("topics: {pattern: a}\nauth: [a]\nlisten: {a: b}\nlimit: {heat: 1}\n",
           "1:9: topics takes a list of mappings, not a mapping\n"
           "2:7: auth takes a mapping, not a list\n"
           "3:9: listen takes a value or a list of values, not a mapping\n"
           "4:9: limit has no 'heat'; did you mean head?\n");
  is_wrong("auth: {cookie: {a: b}}\nlisten: [[a]]\nverbose: 256\n",
           "1:16: cookie takes one value, not a mapping\n"
           "2:10: listen takes one value, not a list\n"
           "3:10: verbose is at most 255, not '256'\n");
}

/* Where both are from the file the first one is told, and what the command line overruled is not. */
static void test_place_of_what_does_not_go_together(void **state) {
  (void)state;
  static char demo[] = "--demo", root[] = "--root=y";
  char *const with_demo[] = {demo, NULL};
  char *const both[] = {demo, root, NULL};
  is_wrong("root: x\ndemo: true\n", "2:1: demo and root do not go together\n");
  assert_int_equal(settle_with("root: x\n", with_demo), EXIT_USAGE);
  assert_string_equal(told, "1:1: demo and root do not go together\n");
  end();
  assert_int_equal(settle_with("root: x\ndemo: false\n", both), EXIT_USAGE);
  assert_string_equal(told, "coho test: --demo and --root do not go together\n");
  end();
}

static void test_B24_what_is_quoted_steers_nothing(void **state) {
  (void)state;
  is_wrong("\"a\\e[2J\\n\": 1\n", "1:1: there is no option 'a?[2J?'\n");
  char text[8000] = "threads: '";
  for (size_t i = strlen(text); i + 3 < sizeof text; i += 2)
    memcpy(text + i, "\xc3\xa9", 3);
  memcpy(text + sizeof text - 4, "'\n", 3);
  assert_int_equal(settle_with(text, NULL), EXIT_USAGE);
  assert_true(strlen(told) < 700);
  assert_non_null(strstr(told, "\xc3\xa9...\n"));
  end();
}

/* ---- names of files ------------------------------------------------------------------------- */

static void test_names_of_files(void **state) {
  (void)state;
  static const char *const rows[][2] = {{"www", "/tmp/www"},
                                        {"./www/", "/tmp/./www/"},
                                        {"../a,b", "/tmp/../a,b"},
                                        {"/www", "/www"},
                                        {"https://a.example/b", "https://a.example/b"},
                                        {"''", ""}};
  char text[64], command_line[] = "--root=www";
  char *const argv[] = {command_line, NULL};
  for (size_t i = 0; i < COHO_COUNT(rows); i++) {
    (void)snprintf(text, sizeof text, "root: %s\n", rows[i][0]);
    is_fine(text);
    assert_string_equal(v.root, rows[i][1]);
    end();
  }
  is_fine("pair: [self, 'a,b', '/c,d', 'e,/f', ',g']\n");
  assert_string_equal(v.pair.items[0], "self");
  assert_string_equal(v.pair.items[1], "/tmp/a,/tmp/b");
  assert_string_equal(v.pair.items[2], "/c,/tmp/d");
  assert_string_equal(v.pair.items[3], "/tmp/e,/f");
  assert_string_equal(v.pair.items[4], ",/tmp/g");
  end();
  assert_int_equal(settle_with("root: other\n", argv), 0);
  assert_string_equal(v.root, "www"); /* as it was typed */
  end();
}

/* ---- what has changed ------------------------------------------------------------------------ */

static char names[64];

static void name(const char *option) {
  size_t len = strlen(names);
  (void)snprintf(names + len, sizeof names - len, "%s%s", len ? ", " : "", option);
}

static void test_restart(void **state) {
  (void)state;
  static const struct {
    const char *text, *names;
  } rows[] = {{"", ""},
              {"verbose: 1\n", ""},
              {"threads: 2\nlisten: a\n", "listen, threads"},
              {"topics: [{pattern: a}]\n", "topics"},
              {"auth: {cookie: other}\n", "auth"},
              {"auth: {cookie: token}\nsize: 1024k\ndemo: false\n", ""},
              {"root: ''\nlimit: {head: 1}\n", "limit, root"}};
  static const struct values none = {
      .threads = 1, .size = 1024 * 1024, .auth = {.cookie = "token"}};
  for (size_t i = 0; i < COHO_COUNT(rows); i++) {
    is_fine(rows[i].text);
    names[0] = '\0';
    settle_restart(&command, &none, &v, name);
    assert_string_equal(names, rows[i].names);
    end();
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_empty_is_all_defaults),
                                     cmocka_unit_test(test_values_of_each_kind),
                                     cmocka_unit_test(test_rows_and_groups),
                                     cmocka_unit_test(test_command_line_replaces),
                                     cmocka_unit_test(test_wrong_rows),
                                     cmocka_unit_test(test_wrong_kinds),
                                     cmocka_unit_test(test_place_of_what_does_not_go_together),
                                     cmocka_unit_test(test_B24_what_is_quoted_steers_nothing),
                                     cmocka_unit_test(test_names_of_files),
                                     cmocka_unit_test(test_restart)};
  return cmocka_run_group_tests(tests, setup, teardown);
}
