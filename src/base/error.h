/* What the table of errors means inside coho. */
#ifndef COHO_BASE_ERROR_H
#define COHO_BASE_ERROR_H

/* The HTTP status that answers a request which failed with err: that of the table, or 500 when the
   table has none, since the failure is ours then. */
int coho__error_status(int err);

#endif
