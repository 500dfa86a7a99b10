/*
 * Opening a file below a folder for a stranger who chose the name. Nothing outside the folder is
 * ever opened, whatever the name says and whatever links lie in the way.
 */
#ifndef COHO_HTTP_FILES_DISK_H
#define COHO_HTTP_FILES_DISK_H

#include <stdbool.h>
#include <stdint.h>

/* Longer names exist on no file system of Linux. */
enum { COHO_DISK_SEGMENT = 255, COHO_DISK_NAME = 4095 };

struct coho__disk_file {
  int fd; /* the caller closes it; -1 for a folder */
  bool folder;
  uint64_t size;
  int64_t modified; /* seconds since 1970 */
  uint32_t modified_ns;
};

/* The name may be served at all: segments between single slashes, none of them empty or beginning
   with a dot, no backslash, no control character. "" is the folder itself. */
bool coho__files_disk_name(const char *name);
/* A folder to open files in. Descriptor or an error (COHO_ENOENT, COHO_EACCES, ...). */
int coho__files_disk_folder(const char *path);
/* name has passed coho__files_disk_name(). 0, COHO_ENOENT (absent, forbidden, outside, neither a
   regular file nor a folder: all the same to the stranger), or what the machine lacks
   (COHO_EMFILE, COHO_ENOMEM, COHO_ESYSTEM). */
int coho__files_disk_open(int folder, const char *name, struct coho__disk_file *out);
/* The same where the kernel has no openat2(2): segment by segment, following no link at all. */
int coho__files_disk_walk(int folder, const char *name, struct coho__disk_file *out);

#endif
