/*
 * A server whose topics need tokens, at /t/ and /other/, and one client of it at a time. All it logs is
 * kept, and must show nothing of any token or ticket. What is not expected fails the test.
 */
#ifndef TESTS_E2E_GUARDED_H
#define TESTS_E2E_GUARDED_H

#include "support/clock.h"
#include "support/raw.h"
#include "support/tokens.h"

#include <coho/topics.h>

enum {
  REQUEST_MOST = 20000,
  HEAD_MOST = 8192,
  TOKEN_ENDS_MS = 1000 /* after that a short one has ended, and whoever looks has seen it */
};

#define HS256    "{\"alg\":\"HS256\",\"typ\":\"JWT\"}"
#define FOR_EVER "\"exp\":4102444800"
#define CHAT     "\"iss\":\"https://id.example\",\"aud\":\"chat\""
#define ANN      "\"sub\":\"ann\",\"coho\":{\"sub\":[\"room/+\"],\"pub\":[\"room/tea\"]}"
#define HISTORY  "/t/room/tea/history"
#define JSON     "Sec-WebSocket-Protocol: coho.json.v1\r\n"

extern const struct token_key signer; /* of the secret that counts */
extern char *rsa_pem;                 /* a public key that counts, too */
extern struct world w;
extern coho_hub *hub;
extern struct raw a;                          /* the client */
extern char head[HEAD_MOST], body[HEAD_MOST]; /* of the last answer */
extern char log_text[1 << 20];
extern size_t log_len;

int guarded_setup(void **state); /* of a group */
int guarded_teardown(void **state);

void open_with(coho_topics_options o); /* keys are added */
void open_all(void);
void make_server(void); /* without routes */
void finish(void);      /* the clock goes on; and looks through the log */

/* ---- tokens and the log ---- */
const char *secret(const char *text); /* remembers that no log may show it */
bool logged(const char *words);
const char *token_of(const char *payload); /* signed with a right key */
const char *good_token(void);              /* of ann, for ever */
const char *short_token(uint64_t ms);      /* of ann, for so long from now on */
const char *forged_token(void);

/* ---- requests: their status ---- */
/* Fields with this one, whose value is the token, each time from another address. */
const char *fields_of(const char *before, const char *token);
void send_request(const char *method, const char *target, const char *fields);
int request(const char *method, const char *target, const char *fields);
int ask(const char *method, const char *target, const char *token); /* in Authorization */
int post(const char *target, const char *token);
void expect_error(const char *code); /* in the body */
void expect_head(const char *words);

/* ---- connections ---- */
int upgrade(const char *target, const char *fields);
int upgrade_json(const char *before, const char *token);
void say(const char *text);
void say_token(const char *token); /* {"op":"auth"} */
void expect(const char *words);    /* in the next frame */
void expect_close(unsigned code, const char *reason);
void publish(const char *topic, const char *text);

#endif
