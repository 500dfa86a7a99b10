/*
 * Static files: from a directory or from memory, GET and HEAD, ranges and conditions (RFC 9110 13
 * and 14). Which names may be opened is decided in files_disk.c; whatever may not is a 404. A folder
 * serves its index.html, and without the slash behind it redirects there.
 *
 * Every file goes with an ETag, "Cache-Control: no-cache" and "X-Content-Type-Options: nosniff";
 * HTML from memory also with a strict Content-Security-Policy. Files are opened and read on the
 * loop's thread: a directory on a slow network file system delays everybody.
 */
#ifndef COHO_HTTP_SERVE_FILES_H
#define COHO_HTTP_SERVE_FILES_H

#include "http/route.h"

/* Behind coho_route_static() and coho_route_assets(). 0, COHO_ENOENT and what else keeps dir from
   being opened, COHO_EINVAL (prefix, or assets not sorted), COHO_EEXISTS, COHO_ENOMEM. */
int coho__files_route_dir(struct coho__routes *rs, const char *prefix, const char *dir);
int coho__files_route_assets(struct coho__routes *rs, const char *prefix, const coho_asset *assets,
                             size_t count);

#endif
