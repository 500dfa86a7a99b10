#include "topics/slurp.h"

#include "base/alloc.h"
#include "io/sock.h"

#include <coho/error.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <sys/stat.h>
#include <unistd.h>

static int read_all(int fd, struct coho__slurp *s) {
  while (s->len < s->size) {
    ssize_t n = read(fd, s->data + s->len, s->size - s->len);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return coho__error_of_errno(errno);
    if (n == 0) break; /* it became shorter; what is there is judged as it is */
    s->len += (size_t)n;
  }
  return 0;
}

static int read_file(int fd, const char *file, size_t most, struct coho__slurp *s,
                     const struct coho__why *why) {
  struct stat st;
  if (fstat(fd, &st) < 0) return coho__error_of_errno(errno);
  if (!S_ISREG(st.st_mode)) return coho__why_set(why, COHO_EINVAL, "%s is not a file", file);
  if (st.st_size > (off_t)most)
    return coho__why_set(why, COHO_EFULL, "%s is larger than %zu KiB", file, most >> 10);
  s->size = st.st_size ? (size_t)st.st_size : 1;
  s->data = (char *)coho__alloc(s->size);
  return s->data ? read_all(fd, s) : COHO_ENOMEM;
}

int coho__slurp_open(const char *file, size_t most, struct coho__slurp *out,
                     const struct coho__why *why) {
  *out = (struct coho__slurp){NULL, 0, 0};
  int fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  int err = fd < 0 ? coho__error_of_errno(errno) : read_file(fd, file, most, out, why);
  if (fd >= 0) close(fd);
  if (!err) return 0;
  coho__slurp_free(out);
  if (err == COHO_EINVAL || err == COHO_EFULL) return err;
  return coho__why_set(why, err, "cannot read %s: %s", file, coho_strerror(err));
}

void coho__slurp_free(struct coho__slurp *s) {
  if (s->data) OPENSSL_cleanse(s->data, s->size);
  coho__free(s->data, s->size);
  *s = (struct coho__slurp){NULL, 0, 0};
}
