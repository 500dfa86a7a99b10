/*
 * Static files: from a directory or from memory, GET and HEAD, ranges and conditions (RFC 9110 13
 * and 14). Which names may be opened is decided in files_disk.c; whatever may not is a 404. A folder
 * serves its index.html, and without the slash behind it redirects there.
 *
 * An asset may have a second form, compressed, for who takes it (encoding.h).
 *
 * Every file goes with an ETag, "Cache-Control: no-cache", "X-Content-Type-Options: nosniff" and the
 * fields that the program gave for all files. Files are opened and read on the
 * loop's thread: a directory on a slow network file system delays everybody.
 */
#ifndef COHO_HTTP_SERVE_FILES_H
#define COHO_HTTP_SERVE_FILES_H

#include "http/route.h"

/* Behind coho_route_static() and coho_route_assets(). 0, COHO_ENOENT and what else keeps dir from
   being opened, COHO_EINVAL (prefix, or an asset that cannot be served or is not sorted),
   COHO_EOPTION (an asset is larger than we know), COHO_EEXISTS, COHO_ENOMEM. size is that of a
   coho_asset where the assets were made. */
int coho__files_route_dir(struct coho__routes *rs, const char *prefix, const char *dir);
int coho__files_route_assets(struct coho__routes *rs, const char *prefix, const coho_asset *assets,
                             size_t count, size_t size);

/* Behind coho_reply_asset(). */
int coho__files_reply_asset(coho_request *r, const coho_asset *asset, size_t size);

/* Appends a list "Name: value" (NULL: none), ended by NULL, as fields that go with every file. 0,
   COHO_ENOMEM, or COHO_EOPTION: no field, one that coho sets itself, or too many. */
int coho__files_fields(const char *const *headers, struct coho__buf *out);

#endif
