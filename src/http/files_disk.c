#define _GNU_SOURCE /* O_PATH, syscall(2) */
#include "http/files_disk.h"

#include "base/check.h"
#include "base/view.h"
#include "io/sock.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
  /* O_NONBLOCK: opening a fifo must not wait for a writer. */
  OPEN_FLAGS = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY,
  /* openat2(2) gives EAGAIN when somebody renamed folders meanwhile. */
  OPEN_TRIES = 4
};

static bool segment_ok(struct coho__view segment) {
  if (segment.len == 0 || segment.len > COHO_DISK_SEGMENT || segment.data[0] == '.') return false;
  for (size_t i = 0; i < segment.len; i++) {
    unsigned char c = (unsigned char)segment.data[i];
    if (c < 0x20 || c == 0x7f || c == '\\') return false;
  }
  return true;
}

bool coho__files_disk_name(const char *name) {
  struct coho__view rest = coho__view_of(name);
  if (rest.len == 0) return true;
  if (rest.len > COHO_DISK_NAME) return false;
  while (rest.data) {
    if (!segment_ok(coho__view_split(&rest, '/'))) return false;
  }
  return true;
}

int coho__files_disk_folder(const char *path) {
  int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  return fd < 0 ? coho__error_of_errno(errno) : fd;
}

/* What the machine lacks is told; all else is the same as absent. */
static int error_of(int e) {
  switch (e) {
  case EMFILE:
  case ENFILE: return COHO_EMFILE;
  case ENOMEM: return COHO_ENOMEM;
  case EIO: return COHO_ESYSTEM;
  default: return COHO_ENOENT;
  }
}

/* Takes the descriptor: keeps it for a regular file, closes it otherwise. */
static int examine(int fd, struct coho__disk_file *out) {
  struct stat st;
  int err = fstat(fd, &st) ? error_of(errno) : 0;
  if (!err && S_ISREG(st.st_mode)) {
    *out = (struct coho__disk_file){.fd = fd,
                                    .size = (uint64_t)st.st_size,
                                    .modified = (int64_t)st.st_mtim.tv_sec,
                                    .modified_ns = (uint32_t)st.st_mtim.tv_nsec};
    return 0;
  }
  close(fd);
  if (!err && S_ISDIR(st.st_mode)) {
    *out = (struct coho__disk_file){.fd = -1, .folder = true};
    return 0;
  }
  return err ? err : COHO_ENOENT;
}

int coho__files_disk_walk(int folder, const char *name, struct coho__disk_file *out) {
  int at = folder;
  struct coho__view rest = coho__view_of(*name ? name : ".");
  while (rest.data) {
    char segment[COHO_DISK_SEGMENT + 1];
    struct coho__view v = coho__view_split(&rest, '/');
    COHO_ASSERT(v.len < sizeof segment);
    memcpy(segment, v.data, v.len);
    segment[v.len] = 0;
    int fd = openat(at, segment, OPEN_FLAGS | O_NOFOLLOW | (rest.data ? O_DIRECTORY | O_PATH : 0));
    int e = errno;
    if (at != folder) close(at);
    if (fd < 0) return error_of(e);
    at = fd;
  }
  return examine(at, out);
}

int coho__files_disk_open(int folder, const char *name, struct coho__disk_file *out) {
  /* O_LARGEFILE: openat2(2) adds it on no 32-bit machine, whatever off_t is. */
  struct open_how how = {.flags = OPEN_FLAGS | O_LARGEFILE,
                         .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS};
  const char *path = *name ? name : ".";
  for (int i = 0; i < OPEN_TRIES; i++) {
    int fd = (int)syscall(SYS_openat2, folder, path, &how, sizeof how);
    if (fd >= 0) return examine(fd, out);
    /* EPERM: a filter of system calls that does not know this one */
    if (errno == ENOSYS || errno == EPERM) return coho__files_disk_walk(folder, name, out);
    if (errno != EAGAIN) return error_of(errno);
  }
  return COHO_ENOENT;
}
