/* Media types by the extension of a file name. */
#ifndef COHO_HTTP_MEDIA_TYPE_H
#define COHO_HTTP_MEDIA_TYPE_H

/* Never NULL; "application/octet-stream" for what is not known. Text has its charset. */
const char *coho__media_type(const char *path);

#endif
