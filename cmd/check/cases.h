/* The tables of cases, a file each. */
#ifndef COHO_CMD_CHECK_CASES_H
#define COHO_CMD_CHECK_CASES_H

#include "catalog.h"

void cases_echo(struct catalog *cat);          /* 1 */
void cases_ping(struct catalog *cat);          /* 2 */
void cases_reserved(struct catalog *cat);      /* 3, 4 */
void cases_fragment(struct catalog *cat);      /* 5 */
void cases_utf8(struct catalog *cat);          /* 6 */
void cases_close(struct catalog *cat);         /* 7 */
void cases_size(struct catalog *cat);          /* 9, 10 */
void cases_compress(struct catalog *cat);      /* 12, 13 */
void cases_frame(struct catalog *cat);         /* mask, length */
void cases_fragment_more(struct catalog *cat); /* fragment */
void cases_utf8_more(struct catalog *cat);     /* utf8 */
void cases_close_more(struct catalog *cat);    /* close */
void cases_handshake(struct catalog *cat);     /* handshake, of a server */
void cases_answer(struct catalog *cat);        /* handshake, of a client */
void cases_http(struct catalog *cat);          /* http */
void cases_protocol(struct catalog *cat);      /* protocol */
void cases_extension(struct catalog *cat);     /* extension */
void cases_window(struct catalog *cat);        /* window */
void cases_deflate(struct catalog *cat);       /* deflate */
void cases_flood(struct catalog *cat);         /* flood */

#endif
