/* The program coho: finds the command and runs it. */
#include "commands.h"
#include "similar.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const struct command *const commands[] = {&cmd_serve, &cmd_connect, &cmd_sub,     &cmd_pub,
                                          &cmd_check, &cmd_help,    &cmd_version, NULL};

const struct command *command_find(const char *name) {
  for (const struct command *const *c = commands; *c; c++)
    if (!strcmp((*c)->name, name)) return *c;
  return NULL;
}

int command_unknown(const struct command *self, const char *name) {
  struct similar s = similar_to(coho__view_of(name));
  for (const struct command *const *c = commands; *c; c++)
    similar_offer(&s, (*c)->name);
  fprintf(stderr, "coho%s%s: there is no command '%s'%s%s%s\nTry 'coho help'.\n", self ? " " : "",
          self ? self->name : "", name, s.best ? "; did you mean '" : "", s.best ? s.best : "",
          s.best ? "'?" : "");
  return EXIT_USAGE;
}

/* "coho --help", "coho connect -h" and "coho -V" are what hands type. */
static bool asks_for_help(const char *word) {
  return !strcmp(word, "--help") || !strcmp(word, "-h");
}

static bool asks_for_version(const char *word) {
  return !strcmp(word, "--version") || !strcmp(word, "-V");
}

static int run_help(const char *about) {
  char name[] = "help";
  char *topic = strdup(about);
  char *argv[] = {name, topic, NULL};
  int status = topic ? cmd_help.run(&cmd_help, *about ? 2 : 1, argv) : EXIT_PEER;
  free(topic);
  return status;
}

/* Whoever started us with a standard stream closed must not have a socket of ours in its place.
   Opened the wrong way round, so that using it is still an error. */
static void fill_closed_streams(void) {
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
    if (fcntl(fd, F_GETFD) < 0) (void)open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
}

int main(int argc, char **argv) {
  fill_closed_streams();
  if (argc < 2) {
    run_help("");
    return EXIT_USAGE;
  }
  if (asks_for_help(argv[1])) return run_help("");
  const struct command *c = command_find(asks_for_version(argv[1]) ? "version" : argv[1]);
  if (!c) return command_unknown(NULL, argv[1]);
  for (int i = 2; i < argc && strcmp(argv[i], "--") != 0; i++)
    if (asks_for_help(argv[i])) return run_help(c->name);
  int status = c->run(c, argc - 1, argv + 1);
  /* A reader that went away, or a full disk, must not look like success. */
  if (fflush(stdout) && status == EXIT_FINE) status = EXIT_PEER;
  return status;
}
