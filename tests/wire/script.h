/* A wire test as the runner plays it: the file's text with all helpers resolved into bytes. */
#ifndef WIRE_SCRIPT_H
#define WIRE_SCRIPT_H

#include "bytes.h"

#include <coho/core.h>
#include <stdbool.h>

/* Something that is done to the engine begins a group; what is expected of it follows. */
enum step_kind {
  /* done */
  STEP_INPUT,      /* data comes from the peer */
  STEP_CALL,       /* call, data, code; err is what it has to return */
  STEP_TICK,       /* number ms pass */
  STEP_EOF,        /* the peer sends no more */
  STEP_ON_REQUEST, /* call is made inside the next COHO_REQUEST; text, code, err */
  STEP_ON_PART,    /* a call is made inside the next COHO_MESSAGE that has COHO_MORE */
  STEP_PAUSE,      /* after the next such message no event is pulled ... */
  STEP_RESUME,     /* ... until now */
  STEP_HOLD,       /* the transport takes no more output ... */
  STEP_TAKE,       /* ... until it takes number bytes, or all and goes on so */
  /* expected */
  STEP_OUTPUT,     /* exactly data */
  STEP_PACKED,     /* a frame of type code that is a whole message, compressed: packed, data */
  STEP_EVENT,      /* event */
  STEP_HEAD,       /* an HTTP head: with status code, or for a request the line text; its body goes
                    with it unless flags are set */
  STEP_FIELD,      /* the last head has the field text exactly once, "Name: value" */
  STEP_TOKEN,      /* the same, where the value is a list that has the token */
  STEP_NO_FIELD,   /* the last head lacks the field text */
  STEP_PROTOCOL,   /* the chosen subprotocol is text */
  STEP_EXTENSIONS, /* the extension agreed on is text */
  STEP_FINISHED,   /* the transport is to be closed */
  STEP_WAKE,       /* the last tick wanted the next one after number ms */
  STEP_PEAK,       /* the engine never owned more than number bytes */
  STEP_OWNS,       /* it owns no more than number bytes now */
  STEP_NONE        /* the engine refuses to be made */
};

enum call { CALL_SEND, CALL_PING, CALL_PONG, CALL_CLOSE, CALL_ACCEPT, CALL_REJECT, CALL_HEADER };

/* An event, as it came or as it is expected. */
struct happening {
  uint32_t type;  /* coho_event_type */
  uint32_t shape; /* of a message: enum coho_type */
  int err;
  uint32_t code, status;
  bool more;         /* COHO_MORE: the message goes on */
  bool any;          /* expected only: the data may be anything, */
  bool some;         /* begins like this and is not empty, */
  bool rest;         /* or is what follows on that */
  struct bytes data; /* payload, reason, or the request's path and query */
};

/* How a compressed message is expected. */
struct packed {
  unsigned window; /* bits; nothing refers further back */
  bool follows;    /* it may refer to the compressed messages before it */
  size_t most;     /* bytes of payload */
  bool masked;
  uint8_t key[4];
};

struct step {
  enum step_kind kind;
  enum call call;
  int line;
  int err;
  uint32_t code;
  uint32_t flags; /* enum coho_msg_flag of a call, its type in code */
  uint64_t number;
  struct bytes data;
  char *text;
  struct packed packed;
  struct happening event;
  size_t *marks; /* STEP_INPUT: where frames, payloads and lines begin, for sampled cuts */
  size_t mark_count;
};

enum { MAX_TEXTS = 16 };

struct options {
  coho_ws_options ws; /* without the lists */
  const char *protocols[MAX_TEXTS + 1];
  const char *origins[MAX_TEXTS + 1];
  const char *headers[MAX_TEXTS + 1];
  const char *extensions;     /* of the peer's head, when the handshake is done already */
  char *texts[3 * MAX_TEXTS]; /* owns all of the above, and the strings of ws */
  size_t text_count;
};

struct wire_case {
  const char *file;
  int line;
  char *ids;  /* "FR-01 FR-14" */
  char *name; /* with the values of `each` in their places */
  coho_role role;
  struct options options;
  struct step *steps;
  size_t count;
  size_t prelude; /* steps that `open` stands for; no cuts are made there */
};

struct script {
  char *file;
  struct wire_case *cases;
  size_t count;
};

/* Reads a file. False: it is wrong, and why was printed with its line. */
bool script_read(struct script *s, const char *file);
void script_free(struct script *s);

struct step *case_step(struct wire_case *c, enum step_kind kind, int line);
void case_free(struct wire_case *c);

/* A row of the error table by name; false if there is none. */
bool error_named(const char *name, int *err);

#endif
