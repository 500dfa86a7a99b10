/*
 * cost FD COMMAND...: runs the command, and writes "STATUS MICROSECONDS KIB" to the descriptor: how it
 * ended as wait(2) says, its processor time, and the most memory it had. A program as small as this
 * starts it, because the system counts the memory of who did.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static long micros(struct timeval t) { return t.tv_sec * 1000000L + t.tv_usec; }

int main(int argc, char **argv) {
  struct rusage used;
  int status;
  char *end;
  if (argc < 3) return 2;
  int fd = (int)strtol(argv[1], &end, 10);
  if (fd < 0 || end == argv[1] || *end) return 2;
  pid_t child = fork();
  if (child == 0) {
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)close(fd);
    execv(argv[2], argv + 2);
    _exit(127);
  }
  if (child < 0 || wait4(child, &status, 0, &used) < 0) return 1;
  (void)dprintf(fd, "%d %ld %ld\n", status, micros(used.ru_utime) + micros(used.ru_stime),
                used.ru_maxrss);
  return 0;
}
