/* coho help: the commands, one command with its options, or all as a man page. */
#include "commands.h"
#include "config.h"

#include <coho/version.h>
#include <stddef.h>
#include <string.h>

struct values {
  const char *format;
};

static const struct option options[] = {
    {.name = "format",
     .kind = OPTION_STRING,
     .offset = offsetof(struct values, format),
     .value = "FORMAT",
     .words = "text man bash config",
     .text = "text (the default), man: the whole manual page, bash: completion for a shell, or "
             "config: the configuration file of coho serve, in markdown"},
    {.name = NULL}};

/* ---- text ---------------------------------------------------------------------------------- */

enum { TEXT_WIDTH = 78, TEXT_INDENT = 26 };

/* Words of text up to a line end, wrapped; the cursor stands at column indent already. Returns what
   follows. */
static const char *print_wrapped(const char *text, size_t indent) {
  size_t at = indent;
  while (*text && *text != '\n') {
    size_t len = strcspn(text, " \n");
    if (at > indent && at + 1 + len > TEXT_WIDTH) {
      printf("\n%*s", (int)indent, "");
      at = indent;
    } else if (at > indent) {
      putchar(' ');
      at++;
    }
    printf("%.*s", (int)len, text);
    at += len;
    text += len;
    while (*text == ' ')
      text++;
  }
  putchar('\n');
  return text + (*text == '\n');
}

static void print_option(const struct option *o) {
  char left[64];
  snprintf(left, sizeof left, "  %c%c%s --%s%s%s", o->letter ? '-' : ' ',
           o->letter ? o->letter : ' ', o->letter ? "," : " ", o->name, o->value ? " " : "",
           o->value ? o->value : "");
  size_t at = strlen(left);
  fputs(left, stdout);
  if (at + 1 < TEXT_INDENT)
    printf("%*s", (int)(TEXT_INDENT - at), "");
  else
    printf("\n%*s", TEXT_INDENT, "");
  print_wrapped(o->text, TEXT_INDENT);
}

static void print_usage(const struct command *c) {
  printf("coho %s%s%s%s", c->name, c->options->name ? " [options]" : "", *c->arguments ? " " : "",
         c->arguments);
}

static void help_command(const struct command *c) {
  fputs("Usage: ", stdout);
  print_usage(c);
  fputs("\n\n", stdout);
  for (const char *text = c->description; *text;)
    text = print_wrapped(text, 0);
  if (!c->options->name) return;
  puts("\nOptions:");
  for (const struct option *o = c->options; o->name; o++)
    print_option(o);
}

static void help_all(void) {
  puts("coho: WebSocket in both directions\n\nUsage: coho COMMAND [options] [arguments]\n");
  for (const struct command *const *c = commands; *c; c++)
    printf("  %-10s %s\n", (*c)->name, (*c)->summary);
  puts("\n'coho help COMMAND' shows a command's options.");
}

/* ---- man page ------------------------------------------------------------------------------ */

/* Text for roff: no line begins with a dot, backslashes and hyphens stay what they are. */
static void print_roff(const char *text) {
  for (; *text; text++) {
    if (*text == '\\')
      fputs("\\e", stdout);
    else if (*text == '-')
      fputs("\\-", stdout);
    else if (*text == '\'')
      fputs("\\(aq", stdout);
    else
      putchar(*text);
  }
}

static void man_option(const struct option *o) {
  puts(".TP");
  fputs("\\fB", stdout);
  if (o->letter) printf("\\-%c\\fR, \\fB", o->letter);
  fputs("\\-\\-", stdout);
  print_roff(o->name);
  fputs("\\fR", stdout);
  if (o->value) printf(" \\fI%s\\fR", o->value);
  putchar('\n');
  print_roff(o->text);
  puts(".");
}

static void man_command(const struct command *c) {
  printf(".SS coho %s %s\n", c->name, c->arguments);
  print_roff(c->description);
  putchar('\n');
  for (const struct option *o = c->options; o->name; o++)
    man_option(o);
}

static void man_page(void) {
  printf(".\\\" Made by 'coho help --format man'.\n"
         ".TH COHO 1 \"\" \"coho %s\" \"User Commands\"\n"
         ".SH NAME\ncoho \\- WebSocket in both directions\n"
         ".SH SYNOPSIS\n.B coho\n.I COMMAND\n[\\fIoptions\\fR] [\\fIarguments\\fR]\n"
         ".SH COMMANDS\n",
         COHO_VERSION);
  for (const struct command *const *c = commands; *c; c++)
    man_command(*c);
  puts(".SH EXIT STATUS\n.TP\n0\nFine.\n.TP\n1\nThe peer or the network failed.\n.TP\n2\n"
       "Wrong options or arguments.");
}

/* ---- completion ---------------------------------------------------------------------------- */

static void print_names(void) {
  for (const struct command *const *c = commands; *c; c++)
    printf("%s%s", c == commands ? "" : " ", (*c)->name);
}

/* The values of its options, by "COMMAND OPTION"; none: the shell offers files. */
static void bash_values(const struct command *c) {
  for (const struct option *o = c->options; o->name; o++)
    if (o->value) {
      printf("  '%s --%s'", c->name, o->name);
      if (o->letter) printf(" | '%s -%c'", c->name, o->letter);
      printf(") words='%s' ;;\n", o->words ? o->words : "");
    }
}

/* "--name value" only: a value behind '=' is left to the shell. */
static void bash_completion(void) {
  puts("# Made by 'coho help --format bash'.\n_coho() {\n"
       "  local words=''\n  case \"${COMP_WORDS[1]} ${COMP_WORDS[COMP_CWORD-1]}\" in");
  for (const struct command *const *c = commands; *c; c++)
    bash_values(*c);
  for (const struct command *const *c = commands; *c; c++) {
    printf("  '%s '*) words='", (*c)->name);
    for (const struct option *o = (*c)->options; o->name; o++)
      printf("%s--%s", o == (*c)->options ? "" : " ", o->name);
    if (*c == &cmd_help) {
      putchar(' ');
      print_names();
    }
    puts("' ;;");
  }
  fputs("  esac\n  [ \"$COMP_CWORD\" = 1 ] && words='", stdout);
  print_names();
  puts("'\n  COMPREPLY=($(compgen -W \"$words\" -- \"${COMP_WORDS[COMP_CWORD]}\"))\n"
       "  [[ ${COMPREPLY[0]} = *= ]] && compopt -o nospace 2>/dev/null\n  return 0\n}\n"
       "complete -o default -F _coho coho");
}

/* ---- the command --------------------------------------------------------------------------- */

static int show(const struct command *self, const char *format, const char *about) {
  if (format && !strcmp(format, "man"))
    man_page();
  else if (format && !strcmp(format, "bash"))
    bash_completion();
  else if (format && !strcmp(format, "config"))
    config_print_reference(&cmd_serve);
  else if (format && strcmp(format, "text") != 0)
    return usage_error(self, "--format is text, man, bash or config, not '%s'", format);
  else if (!about)
    help_all();
  else if (!command_find(about))
    return command_unknown(self, about);
  else
    help_command(command_find(about));
  return EXIT_FINE;
}

static int run(const struct command *c, int argc, char **argv) {
  struct values v = {NULL};
  char *about = NULL;
  size_t count;
  int status = option_parse(c, argc, argv, &v, &about, &count);
  return status ? status : show(c, v.format, about);
}

const struct command cmd_help = {
    .name = "help",
    .arguments = "[COMMAND]",
    .summary = "list the commands, or show one with its options",
    .description = "Lists the commands, or shows one with its options.",
    .options = options,
    .max_arguments = 1,
    .run = run,
};
