/* What --print-config prints, and docs/config.md. */
#include "config.h"

#include <string.h>

enum { WIDTH = 100 };

/* ---- a whole file --------------------------------------------------------------------------- */

/* Text as comment lines. */
static void print_comment(const char *text, int indent) {
  size_t at = 0, most = (size_t)(WIDTH - indent - 2);
  while (*text) {
    size_t len = strcspn(text, " \n");
    if (at && at + 1 + len > most) {
      putchar('\n');
      at = 0;
    }
    if (at)
      putchar(' ');
    else
      printf("%*s# ", indent, "");
    at += len + (at > 0);
    printf("%.*s", (int)len, text);
    text += len;
    text += strspn(text, " \n");
  }
  if (at) putchar('\n');
}

/* "name: value" or, without a default, as a comment with the placeholder. */
static void print_scalar(const char *name, const char *usual, const char *value, int indent) {
  if (usual)
    printf("%*s%s: %s\n", indent, "", name, usual);
  else
    printf("%*s#%s: %s\n", indent, "", name, value ? value : "0");
}

static void print_pairs(const struct option *o) {
  bool any = false;
  for (const struct option_pair *p = o->pairs; p->name && !any; p++)
    any = p->usual != NULL;
  printf("%s%s:\n", any ? "" : "#", o->name);
  for (const struct option_pair *p = o->pairs; p->name; p++)
    print_scalar(p->name, p->usual, p->value, 2);
}

static const char *usual_of(const struct option *o) {
  if (o->kind == OPTION_FLAG && !o->usual) return "false";
  return o->kind == OPTION_COUNT ? "0" : o->usual;
}

static bool is_nested(const struct option *o) {
  return o->kind == OPTION_GROUP || o->kind == OPTION_ROWS;
}

/* A section as an example, all of it a comment: its lines begin with "#". */
static void print_section(const struct option *o, int indent) {
  printf("#%*s%s:\n", indent, "", o->name);
  bool rows = o->kind == OPTION_ROWS;
  for (const struct option *p = o->parts; p->name; p++) {
    const char *lead = rows && p == o->parts ? "  - " : rows ? "    " : "  ";
    if (is_nested(p)) {
      print_section(p, indent + (int)strlen(lead));
      continue;
    }
    const char *usual = usual_of(p);
    printf("#%*s%s%s: %s\n", indent, "", lead, p->name, usual ? usual : p->value ? p->value : "0");
  }
}

static void print_parts(const struct option *table) {
  for (const struct option *p = table; p->name; p++) {
    char text[1200];
    (void)snprintf(text, sizeof text, "%s: %s%s", p->name, p->text,
                   p->required ? " (each has to have it)" : "");
    print_comment(text, 0);
    if (is_nested(p)) print_parts(p->parts);
  }
}

static void print_one(const struct option *o) {
  putchar('\n');
  print_comment(o->text, 0);
  if (is_nested(o)) {
    print_parts(o->parts);
    print_section(o, 0);
  } else if (o->pairs) {
    print_pairs(o);
  } else {
    print_scalar(o->name, usual_of(o), o->value, 0);
  }
}

void config_print(const struct command *c) {
  printf(
      "# The configuration of coho %s: all options, with their defaults. A line that begins with\n"
      "# '#' shows what has none.\n",
      c->name);
  for (const struct option *o = c->options; o->name; o++)
    if (!o->typed) print_one(o);
  for (const struct option *o = c->sections; o && o->name; o++)
    print_one(o);
}

/* ---- the reference -------------------------------------------------------------------------- */

static const char intro[] =
    "<!-- Made by 'coho help --format config'. -->\n"
    "# The configuration file of coho serve\n"
    "\n"
    "`coho serve --config FILE` reads its options from a file. It is YAML, and its keys are the\n"
    "options of the command line without the dashes; whatever the command line says, too, counts "
    "in\n"
    "place of what the file says, a list in place of the whole list.\n"
    "\n"
    "```yaml\n"
    "listen: [ws://0.0.0.0:80, wss://0.0.0.0:443]\n"
    "tls: /etc/coho/cert.pem,/etc/coho/key.pem\n"
    "root: /srv/www\n"
    "limit:\n"
    "  connections: 10000\n"
    "  per-address: 50\n"
    "access-log: true\n"
    "```\n"
    "\n"
    "| command | does |\n"
    "|---|---|\n"
    "| `coho serve --print-config` | prints a whole file with every option and its default |\n"
    "| `coho serve --config FILE --check-config` | tells all that is wrong, and ends: 0 fine, 2 "
    "not |\n"
    "| `coho serve --config FILE` | does the same before anything starts |\n"
    "| `kill -HUP PID` | reads file, certificates and keys again |\n"
    "\n"
    "## The form\n"
    "\n"
    "* A value is the text that the command line would take: `1M`, `0.5`, `never`. Quotes make no\n"
    "  difference.\n"
    "* What is there or not on the command line is `true` or `false`, and nothing else: neither "
    "`yes`\n"
    "  nor `on`.\n"
    "* What may be repeated is a list, or one value. What is `NAME=VALUE` is a mapping, too.\n"
    "* Anchors, aliases, tags, a second document and keys that are there twice are errors, so what "
    "you\n"
    "  read is what counts. The file is UTF-8, at most 1 MiB, and nested at most 16 levels.\n"
    "* The name of a file or folder that does not begin with '/' counts from the folder of this "
    "file, not\n"
    "  from where the program was started.\n"
    "* An empty file leaves all defaults. A key without a value is an error: leave out its line.\n"
    "\n"
    "Each error is a line `FILE:LINE:COLUMN: SENTENCE` on standard error. A file that everybody "
    "may\n"
    "write is told as a warning.\n"
    "\n"
    "## Reading it again\n"
    "\n"
    "On SIGHUP the file is read and checked as a whole. When anything is wrong the log has a line "
    "for\n"
    "each error and everything stays as it was. Else certificates and keys are read again, and "
    "what\n"
    "may change while the server runs does, for the connections and requests that come from then\n"
    "on; those that are open go on with what they came by. For each option that has changed and\n"
    "waits for a restart the log has a line.\n"
    "\n"
    "Changes at once: ";

/* Text for a table: no bar, and what looks like markup shown as it is. */
static void print_cell(const char *text) {
  for (; *text; text++) {
    if (strchr("|*_<\\", *text)) putchar('\\');
    putchar(*text);
  }
}

static void print_takes(const struct option *o) {
  static const char *const flag = "`true`, `false`";
  if (o->kind == OPTION_FLAG)
    fputs(flag, stdout);
  else if (o->kind == OPTION_COUNT)
    fputs("`0`, `1`, `2`", stdout);
  else if (o->kind == OPTION_GROUP)
    fputs("a mapping, see below", stdout);
  else if (o->kind == OPTION_ROWS)
    fputs("a list of mappings, see below", stdout);
  else
    printf("`%s`%s", o->value, o->kind == OPTION_LIST ? ", list" : "");
}

static void print_row(const struct option *o) {
  const char *usual = usual_of(o);
  printf("| `%s` | ", o->name);
  print_takes(o);
  printf(" | %s%s%s | ", usual ? "`" : "",
         usual         ? usual
         : o->required ? "required"
                       : "",
         usual ? "`" : "");
  print_cell(o->text);
  puts(" |");
}

static void print_table(const struct option *table, const char *path) {
  puts("| key | takes | default | what it is |\n|---|---|---|---|");
  for (const struct option *o = table; o->name; o++)
    if (!o->typed) print_row(o);
  for (const struct option *o = table; o->name; o++) {
    char below[200];
    if (!is_nested(o)) continue;
    (void)snprintf(below, sizeof below, "%s%s%s", path, *path ? "." : "", o->name);
    printf("\n### %s\n\n", below);
    print_table(o->parts, below);
  }
}

static void print_names(const struct option *o) {
  printf("\n### %s\n\n| name | takes | default |\n|---|---|---|\n", o->name);
  for (const struct option_pair *p = o->pairs; p->name; p++)
    printf("| `%s` | `%s` | %s%s%s |\n", p->name, p->value, p->usual ? "`" : "",
           p->usual ? p->usual : "", p->usual ? "`" : "");
}

static void print_live(const struct option *table, const char **comma) {
  for (const struct option *o = table; o && o->name; o++) {
    if (!o->live) continue;
    printf("%s`%s`", *comma, o->name);
    *comma = ", ";
  }
}

void config_print_reference(const struct command *c) {
  const char *comma = "";
  fputs(intro, stdout);
  print_live(c->options, &comma);
  print_live(c->sections, &comma);
  fputs(".\n\n## Options\n\n", stdout);
  print_table(c->options, "");
  for (const struct option *o = c->options; o->name; o++)
    if (o->pairs) print_names(o);
  if (!c->sections || !c->sections->name) return;
  fputs("\n## Sections\n\nThese are in the file only.\n\n", stdout);
  print_table(c->sections, "");
}
