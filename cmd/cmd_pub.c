/* coho pub: publishes to a topic. */
#include "commands.h"
#include "hub_session.h"
#include "lines.h"
#include "posting.h"
#include "topic_url.h"

#include "base/check.h"
#include "base/utf8.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct values {
  struct hub_options hub;
  const char *topic;
  const char *file;
  const char *conflation_key;
  const char *idempotency_key;
  uint64_t timeout;
  bool binary;
  bool json;
};

static const struct option options[] = {
    {.name = "topic",
     .letter = 't',
     .kind = OPTION_STRING,
     .offset = offsetof(struct values, topic),
     .value = "NAME",
     .text = "publish to this topic of the hub whose URL is given, wherever that is mounted"},
    {.name = "file",
     .letter = 'f',
     .kind = OPTION_STRING,
     .offset = offsetof(struct values, file),
     .value = "FILE",
     .text = "publish what is in this file, as one message"},
    {.name = "binary",
     .letter = 'b',
     .kind = OPTION_FLAG,
     .offset = offsetof(struct values, binary),
     .text = "publish bytes, not text"},
    {.name = "json",
     .letter = 'j',
     .kind = OPTION_FLAG,
     .offset = offsetof(struct values, json),
     .text =
         "each line of the input, or MESSAGE, is an object as coho sub --json prints it, with data "
         "or data64 (base64), and perhaps topic, key and idem; positions are printed as lines of "
         "JSON with topic and pos"},
    {.name = "conflation-key",
     .kind = OPTION_STRING,
     .offset = offsetof(struct values, conflation_key),
     .value = "KEY",
     .text = "on a topic that conflates: replace the message that has this key"},
    {.name = "idempotency-key",
     .kind = OPTION_STRING,
     .offset = offsetof(struct values, idempotency_key),
     .value = "KEY",
     .text = "do nothing when a message with this key was published within five minutes, and print "
             "its position; a random one by default"},
    {.name = "timeout",
     .kind = OPTION_SECONDS,
     .offset = offsetof(struct values, timeout),
     .value = "SECONDS",
     .text = "how long to wait for the answer to a message, connecting included (30 by default)",
     .min = 1,
     .max = 240 * 1000},
    HUB_OPTIONS(offsetof(struct values, hub)),
    {.name = NULL}};

struct publisher {
  struct hub_session session;
  const struct values *values;
  const char *topic;     /* NULL: each object names its own */
  const char *objection; /* to the latest object */
  struct lines lines;
};

/* ---- one message ---------------------------------------------------------------------------- */

/* On its way; one for each, since it says where it goes. */
struct letter {
  struct publisher *publisher;
  char topic[];
};

static void print_position(const struct publisher *p, const char *topic, coho_pos pos) {
  char text[COHO_POS_MAX];
  (void)coho_pos_text(pos, text, sizeof text);
  if (p->values->json)
    printf("{\"topic\":\"%s\",\"pos\":\"%s\"}\n", topic, text);
  else
    puts(text);
  (void)fflush(stdout);
}

static void on_done(void *ctx, int err, coho_pos pos) {
  struct letter *l = (struct letter *)ctx;
  struct publisher *p = l->publisher;
  if (err == COHO_ESTOPPED || (err && p->session.over)) {
    hub_session_end(&p->session, EXIT_PEER);
  } else if (err == COHO_ETIMEDOUT) {
    hub_session_fail(&p->session, "no answer within %g s; the message may have been published",
                     (double)p->values->timeout / 1000);
  } else if (err == COHO_EFORBIDDEN) {
    hub_session_fail(&p->session, "no right to publish to %s%s", l->topic,
                     hub_session_advice(&p->session, err));
  } else if (err) {
    hub_session_fail(&p->session, "a message was not published: %s%s", coho_strerror(err),
                     hub_session_advice(&p->session, err));
  } else if (!p->values->hub.quiet) {
    print_position(p, l->topic, pos);
  }
  free(l);
}

/* 0, COHO_EFULL (later), or an error. */
static int send_to(struct publisher *p, const char *topic, coho_msg m,
                   coho_client_publish_options opt) {
  size_t size = strlen(topic) + 1;
  struct letter *l = (struct letter *)malloc(sizeof *l + size);
  if (!l) return COHO_ENOMEM;
  l->publisher = p;
  memcpy(l->topic, topic, size);
  opt.done = on_done;
  opt.ctx = l;
  int err = m.len > p->values->hub.max_message
                ? COHO_ETOOBIG
                : coho_client_publish(p->session.client, topic, m, &opt);
  if (err) free(l);
  return err;
}

/* The topic of the command line counts, if there is one. */
static int publish_object(struct publisher *p, struct coho__view text) {
  struct posting one;
  p->objection = posting_read(&one, text);
  const char *topic = p->topic ? p->topic : one.topic;
  if (!p->objection && !one.gap && !topic)
    p->objection = "names no topic, nor does the URL, nor is there a --topic";
  int err = p->objection ? COHO_EINVAL : 0;
  if (!err && !one.gap)
    err = send_to(p, topic, one.msg,
                  (coho_client_publish_options){.key = one.key, .idempotency_key = one.idem});
  if (err == COHO_EINVAL && !p->objection) p->objection = "has a topic that is no name";
  posting_free(&one);
  return err;
}

/* As send_to(); COHO_EINVAL: with an objection. */
static int publish(struct publisher *p, struct coho__view text) {
  const struct values *v = p->values;
  if (v->json) return publish_object(p, text);
  coho_msg m = v->binary ? coho_binary(text.data, text.len) : coho_text_n(text.data, text.len);
  return send_to(p, p->topic, m,
                 (coho_client_publish_options){.key = v->conflation_key,
                                               .idempotency_key = v->idempotency_key});
}

static const char *objection(const struct publisher *p, int err) {
  if (err == COHO_EINVAL && p->objection) return p->objection;
  if (err == COHO_EUTF8) return "is not UTF-8; --binary publishes bytes as they are";
  if (err == COHO_ETOOBIG) return "is larger than --max-message";
  return coho_strerror(err);
}

static void publish_one(struct publisher *p, struct coho__view text, const char *what) {
  int err = publish(p, text);
  if (err) hub_session_fail(&p->session, "%s %s", what, objection(p, err));
}

/* ---- a file --------------------------------------------------------------------------------- */

static int read_all(const char *path, struct coho__buf *out) {
  enum { STEP = 64 * 1024 };
  int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
  ssize_t n = fd < 0 ? -1 : 1;
  while (n > 0) {
    char *dst = coho__buf_reserve(out, STEP);
    n = dst ? read(fd, dst, STEP) : 0;
    if (!dst) errno = EFBIG;
    if (!dst) n = -1;
    if (n > 0) out->len += (size_t)n;
  }
  int err = n < 0 ? errno : 0;
  if (fd >= 0) close(fd);
  return err;
}

static void publish_file(struct publisher *p) {
  const char *path = p->values->file;
  struct coho__buf bytes = COHO_BUF((size_t)p->values->hub.max_message + 64 * 1024);
  int err = read_all(path, &bytes);
  if (err)
    hub_session_fail(&p->session, "cannot read %s: %s", path, strerror(err));
  else
    publish_one(p, (struct coho__view){bytes.data, bytes.len}, path);
  coho__buf_release(&bytes);
}

/* ---- lines ---------------------------------------------------------------------------------- */

/* As many lines as there is room for; whether more has to be read. */
static bool publish_lines(struct publisher *p) {
  struct coho__view line;
  while (!p->session.over && lines_peek(&p->lines, &line)) {
    int err = publish(p, line);
    if (err == COHO_EFULL) return false;
    lines_take(&p->lines, line);
    if (err)
      hub_session_fail(&p->session, "line %llu of the input %s", (unsigned long long)p->lines.count,
                       objection(p, err));
  }
  return !p->session.over && !p->lines.ended;
}

static void read_lines(struct publisher *p) {
  int err = lines_read(&p->lines);
  if (err)
    hub_session_fail(&p->session, "line %llu of the input %s",
                     (unsigned long long)p->lines.count + 1,
                     err == COHO_ESYSTEM ? strerror(errno) : objection(p, err));
}

static void publish_input(struct publisher *p) {
  bool more = true;
  lines_init(&p->lines, STDIN_FILENO, (size_t)p->values->hub.max_message);
  while (!p->session.over && (more || p->lines.at < p->lines.buf.len)) {
    bool ready = hub_session_turn(&p->session, more ? STDIN_FILENO : -1, NULL);
    if (more && ready && !p->session.over) read_lines(p);
    more = publish_lines(p);
  }
  lines_free(&p->lines);
}

/* ---- the command ---------------------------------------------------------------------------- */

static void publish_all(struct publisher *p, const char *message) {
  if (message)
    publish_one(p, coho__view_of(message), "the message");
  else if (p->values->file)
    publish_file(p);
  else
    publish_input(p);
  while (!p->session.over && coho_client_queued(p->session.client))
    (void)hub_session_turn(&p->session, -1, NULL);
}

/* What --json says by itself. */
static int check_json(const struct command *c, const struct values *v) {
  const char *wrong = v->file              ? "--file"
                      : v->binary          ? "--binary"
                      : v->conflation_key  ? "--conflation-key"
                      : v->idempotency_key ? "--idempotency-key"
                                           : NULL;
  if (!v->json || !wrong) return 0;
  return usage_error(c,
                     "%s is not for --json, whose objects have data64, key and idem, and come "
                     "from the input",
                     wrong);
}

static int check(const struct command *c, const struct values *v, const char *message) {
  bool lines = !message && !v->file;
  int wrong = check_json(c, v);
  if (wrong) return wrong;
  if (message && v->file) return usage_error(c, "a message and --file: which of them?");
  if (lines && v->idempotency_key)
    return usage_error(c, "--idempotency-key is for one message, not for the lines of the input");
  if (v->topic) {
    int status = topic_check(c, v->topic);
    if (status) return status;
  }
  const char *keys[] = {v->conflation_key, v->idempotency_key};
  for (size_t i = 0; i < COHO_COUNT(keys); i++)
    if (keys[i] &&
        (!*keys[i] || strlen(keys[i]) > 255 || !coho__utf8_valid(keys[i], strlen(keys[i]))))
      return usage_error(c, "a key has 1 to 255 bytes of UTF-8");
  if (message && !v->binary && !coho__utf8_valid(message, strlen(message)))
    return usage_error(c, "the message is not UTF-8; --binary publishes bytes as they are");
  return 0;
}

static int publish_to(const struct command *c, const struct values *v, const struct topic_url *url,
                      const char *message) {
  struct publisher p = {.values = v, .topic = v->topic ? v->topic : url->topic};
  if (!hub_session_start(&p.session, c, &v->hub, url->hub, (uint32_t)v->timeout))
    publish_all(&p, message);
  /* What waits is not published, or nobody knows. */
  if (p.session.client && coho_client_queued(p.session.client))
    hub_session_end(&p.session, EXIT_PEER);
  return hub_session_finish(&p.session);
}

static int run(const struct command *c, int argc, char **argv) {
  struct values v = {.hub = {.max_message = HUB_MESSAGE}, .timeout = 30 * 1000};
  char *args[2] = {NULL, NULL};
  struct topic_url url = {.hub = NULL};
  size_t count;
  int status = option_parse(c, argc, argv, &v, args, &count);
  if (!status) status = check(c, &v, args[1]);
  if (!status)
    status = topic_url_read(c, args[0], v.topic || (v.json && !topic_url_names(args[0])),
                            "is that of --topic, with the URL of its hub", &url);
  if (!status && url.topic) status = topic_check(c, url.topic);
  if (!status) status = reach_check(c, &v.hub.reach, args[0], url.hub);
  if (!status) status = publish_to(c, &v, &url, args[1]);
  topic_url_free(&url);
  reach_free(&v.hub.reach);
  return status;
}

const struct command cmd_pub = {
    .name = "pub",
    .arguments = "URL [MESSAGE]",
    .summary = "publish to a topic",
    .description =
        "Publishes MESSAGE to the topic at URL, which is that of a hub with /t/ and the topic's "
        "name: localhost:8080/t/room/tea. Without MESSAGE each line of the input is a message. "
        "Prints the position of each message, such as k3f9.42, once the hub has it."
        "\n\n"
        "With --json each line is an object: {\"topic\":\"room/tea\",\"data\":\"hello\"}. The "
        "topic of "
        "the URL or of --topic counts, if there is one, and else that of each object, behind the "
        "URL "
        "of the hub: localhost:8080/t/. So `coho sub --json A | coho pub --json B` copies topics."
        "\n\n"
        "When the connection breaks, what was not answered is published again, with a key by which "
        "the hub knows it, so that nothing is there twice."
        "\n\n"
        "The exit status is 0 when all was published; 1 when something was not, or when nobody "
        "knows; 2 for wrong options.",
    .options = options,
    .min_arguments = 1,
    .max_arguments = 2,
    .run = run,
};
