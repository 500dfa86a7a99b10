/* A folder with files for a test, below the folder for temporary files. */
#ifndef COHO_TESTS_UNIT_FOLDER_H
#define COHO_TESTS_UNIT_FOLDER_H

#include <stddef.h>

void folder_make(void); /* one at a time */
const char *folder_path(void);
/* Writes a file; folders in its name are made. */
void folder_write(const char *name, const void *data, size_t len);
void folder_link(const char *target, const char *name); /* symbolic */
void folder_fifo(const char *name);
void folder_remove(void); /* and all that is in it */

#endif
