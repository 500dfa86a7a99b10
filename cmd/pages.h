/* The files of web/ that are inside the program, and who serves which. */
#ifndef COHO_CMD_PAGES_H
#define COHO_CMD_PAGES_H

#include <coho/coho.h>

/* NULL: there is none. Valid for ever. */
const coho_asset *pages_find(const char *path);
/* Those of --demo, at "/". 0 or an error. */
int pages_route_demo(coho_server *s);
/* /coho.js, the browser client, for pages that are elsewhere or in root (NULL: there is none), whose own
   file of that name counts in its place. 0 or an error. */
int pages_route_client(coho_server *s, const char *root);

#endif
