/* The address of a server as people type it. */
#ifndef COHO_CMD_ADDRESS_H
#define COHO_CMD_ADDRESS_H

/* "localhost:8080/echo" and ":8080/echo" get ws:// (and a host), http:// becomes ws://, https://
   becomes wss://; all else stays. Freed by the caller; NULL: out of memory. */
char *address_url(const char *typed);

#endif
