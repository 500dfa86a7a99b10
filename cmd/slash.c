#include "slash.h"

#include "base/check.h"
#include "proto/close_code.h"

#include <stddef.h>
#include <string.h>

const char *const slash_help[] = {
    "/ping [TEXT]            send a ping; its pong shows the round trip",
    "/close [CODE [REASON]]  close, with 1000 when no code is given; so does Ctrl-D",
    "/binary HEX             send bytes, such as /binary de ad be ef",
    "/file PATH              send a file as one binary message",
    "/help                   show this",
    "//TEXT                  send a text that begins with a slash",
    NULL};

static const struct {
  const char *name;
  enum slash_kind kind;
} names[] = {{"/ping", SLASH_PING},
             {"/close", SLASH_CLOSE},
             {"/binary", SLASH_BINARY},
             {"/file", SLASH_FILE},
             {"/help", SLASH_HELP}};

static struct slash wrong(const char *sentence) {
  return (struct slash){.kind = SLASH_WRONG, .argument = sentence};
}

static const char *skip_spaces(const char *text) { return text + strspn(text, " \t"); }

static struct slash parse_close(const char *argument) {
  uint64_t code = 0;
  struct coho__view number = {argument, strcspn(argument, " \t")};
  const char *reason = skip_spaces(argument + number.len);
  if (number.len && (!coho__view_number(number, UINT16_MAX, &code) ||
                     !coho__close_code_sendable((int)code, COHO_CLIENT)))
    return wrong("/close takes a code that may be sent: 1000 to 1014 but 1004, 1005 and 1006, "
                 "or 3000 to 4999");
  if (strlen(reason) > COHO_CLOSE_REASON_MAX)
    return wrong("the reason of a Close frame has at most 123 bytes");
  return (struct slash){.kind = SLASH_CLOSE, .code = (int)code, .argument = reason};
}

static struct slash parse_argument(enum slash_kind kind, const char *argument) {
  if (kind == SLASH_CLOSE) return parse_close(argument);
  if (kind == SLASH_PING && strlen(argument) > 125)
    return wrong("a ping carries at most 125 bytes");
  if (kind == SLASH_BINARY && !*argument) return wrong("what bytes? /binary de ad be ef");
  if (kind == SLASH_FILE && !*argument) return wrong("which file? /file PATH");
  return (struct slash){.kind = kind, .argument = argument};
}

struct slash slash_parse(const char *line) {
  if (line[0] != '/') return (struct slash){.kind = SLASH_TEXT, .argument = line};
  if (line[1] == '/') return (struct slash){.kind = SLASH_TEXT, .argument = line + 1};
  size_t len = strcspn(line, " \t");
  for (size_t i = 0; i < COHO_COUNT(names); i++)
    if (strlen(names[i].name) == len && !strncmp(names[i].name, line, len))
      return parse_argument(names[i].kind, skip_spaces(line + len));
  return wrong("no such command; try /help, or //TEXT for a text that begins with a slash");
}
