/*
 * The load generator: one thread, epoll.
 *
 *   load [options] PORT
 *     -m MODE   what is measured:
 *        echo   round trips of messages; closed loop: each connection keeps `depth` of them under way
 *               and sends the next burst when all came back
 *        raw    the same without WebSocket
 *        idle   memory of open connections
 *        fan    one connection publishes, all get everything, or with -i the latest
 *        raw-fan   the same without handshake and masks: the other side only copies bytes
 *        subs   memory of subscriptions, by coho.json.v1
 *        fill   memory of histories, by coho.json.v1
 *     -c N      connections (50); of fan: without the one that publishes
 *     -s N      payload bytes (20)     -k N  depth (1); subs: subscriptions of each connection
 *     -n N      fill: topics (1)       -x N  fill: messages published to each (1,000)
 *     -r N      fan: messages published a second (100)
 *     -i MS     fan: the topic conflates; messages may be missing, the latest may not
 *     -d S      seconds measured (2)   -w S  seconds before (0.5)     -u PATH  (/)
 *     -p PID    the server: its CPU time and memory are measured      -t  text, not binary
 *     -b        poll without sleeping, so that no wake-up of ours costs the server time
 *     -T        TLS, without looking at the certificate
 *     -z        permessage-deflate, and messages of JSON that vary
 *
 * Prints one JSON object.
 */
#define _GNU_SOURCE
#include "load/echo.h"
#include "load/fan.h"
#include "load/peer.h"
#include "load/topics.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static struct load_options opt = {.mode = "echo",
                                  .path = "/",
                                  .connections = 50,
                                  .size = 20,
                                  .depth = 1,
                                  .topics = 1,
                                  .messages = 1000,
                                  .rate = 100,
                                  .seconds = 2,
                                  .warmup = 0.5};

static const struct mode {
  const char *name;
  void (*run)(const struct load_options *opt);
} modes[] = {{"echo", echo_run},       {"raw", echo_run},    {"idle", echo_run_idle},
             {"fan", fan_run},         {"raw-fan", fan_run}, {"subs", topics_run_subs},
             {"fill", topics_run_fill}};

static size_t count_of(const char *text) {
  char *end;
  size_t n = strtoul(text, &end, 10);
  if (*end || !n) link_fail("a number of 1 at least is wanted; see the head of load.c");
  return n;
}

static void parse_options(int argc, char **argv) {
  int o;
  while ((o = getopt(argc, argv, "m:c:s:k:n:x:r:i:d:w:u:p:tbTz")) > 0) {
    switch (o) {
    case 'm': opt.mode = optarg; break;
    case 'c': opt.connections = count_of(optarg); break;
    case 's': opt.size = count_of(optarg); break;
    case 'k': opt.depth = count_of(optarg); break;
    case 'n': opt.topics = count_of(optarg); break;
    case 'x': opt.messages = count_of(optarg); break;
    case 'r': opt.rate = count_of(optarg); break;
    case 'i': opt.interval_ms = count_of(optarg); break;
    case 'd': opt.seconds = strtod(optarg, NULL); break;
    case 'w': opt.warmup = strtod(optarg, NULL); break;
    case 'u': opt.path = optarg; break;
    case 'p': opt.pid = (int)strtol(optarg, NULL, 10); break;
    case 't': opt.text = true; break;
    case 'T': opt.tls = true; break;
    case 'z': opt.deflate = true; break;
    case 'b': opt.busy = true; break;
    default: link_fail("unknown option; see the head of load.c");
    }
  }
  if (optind + 1 != argc) link_fail("usage: load [options] PORT");
  opt.port = (int)strtol(argv[optind], NULL, 10);
}

static void raise_file_limit(void) {
  struct rlimit files;
  if (getrlimit(RLIMIT_NOFILE, &files)) return;
  files.rlim_cur = files.rlim_max;
  (void)setrlimit(RLIMIT_NOFILE, &files);
}

int main(int argc, char **argv) {
  parse_options(argc, argv);
  raise_file_limit();
  for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
    if (strcmp(modes[i].name, opt.mode) != 0) continue;
    peer_prepare(opt.connections + 1, opt.port, opt.tls);
    modes[i].run(&opt);
    return 0;
  }
  link_fail("no such mode; see the head of load.c");
}
