/*
 * permessage-deflate: what a peer compressed, whole and in pieces, has to give the same, which is
 * what zlib says it means; and what one end packs the other has to unpack.
 */
#include "proto/permessage.h"

#include "base/budget.h"
#include "support/agree.h"
#include "support/claim.h"
#include "support/input.h"
#include "support/memory.h"
#include "support/session.h"
#include "support/tape.h"

#include <coho/error.h>
#include <string.h>
#define ZLIB_CONST
#include <zlib.h>

enum {
  MESSAGE_MOST = 1 << 16,
  UNPACKED_MOST = MESSAGE_MOST + 64 * 1024, /* the buffer of an unpacked message */
  OVERHEAD = 1 << 20                        /* states of either end, shared and own */
};

struct ends {
  struct agreement agreement;
  struct coho__deflate_pool *pool;
  struct coho__permessage *server, *client;
};

static void open_ends(struct ends *e, const coho_deflate *server, const coho_deflate *client) {
  e->agreement = agree(server, client);
  struct agreement *a = &e->agreement;
  e->pool = coho__deflate_pool_new();
  e->server = coho__permessage_new(e->pool, COHO_SERVER, &a->server, &a->server_conf);
  e->client = coho__permessage_new(e->pool, COHO_CLIENT, &a->client, &a->client_conf);
  CLAIM(e->pool && e->server && e->client);
}

static void close_ends(struct ends *e) {
  coho__permessage_free(e->server);
  coho__permessage_free(e->client);
  coho__deflate_pool_free(e->pool);
  CLAIM(coho_contexts_used() == 0);
}

/* ---- what comes from a peer ---------------------------------------------------------------- */

/* What zlib makes of it; false: it is wrong, or a final block makes it a matter of its own. */
static bool reference(z_stream *z, struct input packed, struct tape *t) {
  static const uint8_t tail[4] = {0, 0, 0xff, 0xff};
  const struct input parts[2] = {packed, {tail, sizeof tail}};
  uint8_t out[256];
  for (size_t i = 0; i < 2; i++) {
    z->next_in = parts[i].data;
    z->avail_in = (uInt)parts[i].len;
    do {
      z->next_out = out;
      z->avail_out = sizeof out;
      int rc = inflate(z, Z_SYNC_FLUSH);
      if (rc != Z_OK && rc != Z_BUF_ERROR) return false;
      tape_bytes(t, out, sizeof out - z->avail_out);
      if (t->len > MESSAGE_MOST) return false;
    } while (z->avail_in || z->avail_out == 0);
  }
  return (z->data_type & 191) == 128; /* between blocks, at the end of a byte */
}

static int unpack_whole(struct coho__permessage *p, struct input packed, struct tape *t) {
  struct coho__view message = {NULL, 0};
  uint8_t *block = input_copy(packed);
  int err = coho__permessage_unpack(p, block, packed.len, MESSAGE_MOST, &message);
  free(block);
  if (!err) tape_bytes(t, message.data, message.len);
  memory_claim_most(UNPACKED_MOST + OVERHEAD);
  return err;
}

/* Of one piece, through as much room as the cuts say. */
static int unpack_piece(struct coho__permessage *p, const uint8_t *data, size_t len, uint8_t room,
                        struct tape *t) {
  size_t cap = (size_t)room * 16 + 1;
  ssize_t n;
  do {
    uint8_t *dst = (uint8_t *)malloc(cap);
    size_t before = len;
    CLAIM(dst != NULL);
    n = coho__permessage_input(p, &data, &len, dst, cap);
    CLAIM(len <= before && n <= (ssize_t)cap);
    if (n > 0) tape_bytes(t, dst, (size_t)n);
    free(dst);
  } while (n == (ssize_t)cap && t->len <= MESSAGE_MOST);
  if (n < 0) return (int)n;
  if (t->len > MESSAGE_MOST) return COHO_ETOOBIG;
  CLAIM(len == 0);
  return 0;
}

static int unpack_pieces(struct coho__permessage *p, struct input packed, const struct cuts *cuts,
                         struct tape *t) {
  struct pieces pieces = pieces_of(packed, cuts);
  int err = 0;
  while (!err && pieces_next(&pieces))
    err = unpack_piece(p, pieces.block, pieces.len, cuts->sizes[pieces.next % 4], t);
  pieces_end(&pieces);
  return err ? err : coho__permessage_end(p);
}

/* One message into both ends' like. False: the connection ends. */
static bool receive(struct ends *whole, struct ends *cut, struct input packed,
                    const struct cuts *cuts, z_stream *z) {
  struct tape a = {NULL, 0, 0}, b = {NULL, 0, 0}, c = {NULL, 0, 0};
  int err = unpack_whole(whole->server, packed, &a);
  int cut_err = unpack_pieces(cut->server, packed, cuts, &b);
  /* A message may be too long and wrong behind that; which is seen first is a matter of pieces. */
  CLAIM((err == 0) == (cut_err == 0));
  CLAIM(err == 0 || err == COHO_EINFLATE || err == COHO_ETOOBIG);
  CLAIM(cut_err == 0 || cut_err == COHO_EINFLATE || cut_err == COHO_ETOOBIG);
  if (err == 0) tape_same(&a, &b, "message");
  if (!whole->agreement.server.own_receives) inflateReset(z);
  bool plain = reference(z, packed, &c);
  if (plain) CLAIM(err == 0);
  if (plain) tape_same(&c, &a, "message by zlib and by coho");
  tape_free(&a);
  tape_free(&b);
  tape_free(&c);
  return err == 0 && plain;
}

static void receive_all(struct input in, const coho_deflate *server, const coho_deflate *client,
                        const struct cuts *cuts) {
  struct ends whole, cut;
  z_stream z;
  memset(&z, 0, sizeof z);
  open_ends(&whole, server, client);
  open_ends(&cut, server, client);
  CLAIM(inflateInit2(&z, -(int)whole.agreement.server.client_window) == Z_OK);
  bool goes_on = true;
  while (goes_on && in.len > 0) {
    size_t len = input_byte(&in);
    goes_on = receive(&whole, &cut, input_take(&in, len == UINT8_MAX ? in.len : len), cuts, &z);
  }
  inflateEnd(&z);
  coho__permessage_free(cut.client);
  coho__permessage_free(cut.server);
  coho__deflate_pool_free(cut.pool);
  close_ends(&whole);
}

/* ---- what we send --------------------------------------------------------------------------- */

/* A message that is the input's bytes over and over, with something that counts in between. */
static void make_message(struct tape *t, struct input piece, uint8_t times) {
  for (unsigned i = 0; i <= times; i++) {
    tape_bytes(t, piece.data, piece.len);
    if (i % 3 == 2) tape_print(t, "%u", i * 7919);
  }
}

static void send(struct ends *e, struct coho__permessage *from, struct coho__permessage *to,
                 const struct tape *message, const struct cuts *cuts) {
  struct coho__view packed, again;
  struct tape copy = {NULL, 0, 0}, unpacked = {NULL, 0, 0};
  if (!coho__permessage_pack(from, message->data, message->len, &packed)) return;
  CLAIM(packed.len > 0 && packed.len < message->len);
  tape_bytes(&copy, packed.data, packed.len); /* the pool may be used again */
  struct input in = {(const uint8_t *)copy.data, copy.len};
  if (cuts->sizes[0] & 1) {
    CLAIM(unpack_pieces(to, in, cuts, &unpacked) == 0);
  } else {
    CLAIM(coho__permessage_unpack(to, copy.data, copy.len, message->len, &again) == 0);
    tape_bytes(&unpacked, again.data, again.len);
  }
  tape_same(message, &unpacked, "packed and unpacked");
  tape_free(&copy);
  tape_free(&unpacked);
  coho__deflate_pool_trim(e->pool);
}

static void send_all(struct input in, const coho_deflate *server, const coho_deflate *client,
                     const struct cuts *cuts) {
  struct ends e;
  open_ends(&e, server, client);
  while (in.len > 0) {
    uint8_t how = input_byte(&in), times = input_byte(&in);
    struct tape message = {NULL, 0, 0};
    make_message(&message, input_take(&in, (how & 0x3f) + 1U), times);
    if (message.len <= MESSAGE_MOST && message.len > 0) {
      if (how & 0x40)
        send(&e, e.client, e.server, &message, cuts);
      else
        send(&e, e.server, e.client, &message, cuts);
    }
    if (how & 0x80) coho__permessage_forget(e.server);
    tape_free(&message);
  }
  close_ends(&e);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct input in = {data, size};
  coho_deflate server = session_deflate(input_byte(&in));
  coho_deflate client = session_deflate(input_byte(&in));
  struct cuts cuts = cuts_read(&in);
  if (server.mode == COHO_DEFLATE_OFF || client.mode == COHO_DEFLATE_OFF) return 0;
  memory_fail_at(0);
  coho_set_context_limit(UINT64_MAX);
  if (input_byte(&in) & 1)
    send_all(in, &server, &client, &cuts);
  else
    receive_all(in, &server, &client, &cuts);
  memory_claim_empty();
  return 0;
}
