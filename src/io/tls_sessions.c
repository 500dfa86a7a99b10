#include "io/tls_sessions.h"

#include "base/check.h"
#include "base/map.h"
#include "base/random.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

enum { KEY_TEXT = 640 }; /* two names, a port */

void coho__tls_sessions_init(struct coho__tls_sessions *t) {
  memset(t->places, 0, sizeof t->places);
  coho__random(t->seeds, sizeof t->seeds);
  t->count = 0;
  t->generation = 0;
  pthread_mutex_init(&t->lock, NULL);
}

static void drop(struct coho__session_place *p) {
  SSL_SESSION_free(p->session);
  p->session = NULL;
}

static void drop_all(struct coho__tls_sessions *t) {
  for (size_t i = 0; i < COHO_SESSIONS_MOST; i++)
    drop(&t->places[i]);
}

void coho__tls_sessions_free(struct coho__tls_sessions *t) {
  drop_all(t);
  pthread_mutex_destroy(&t->lock);
}

struct coho__session_key coho__tls_sessions_key(const struct coho__tls_sessions *t,
                                                const char *host, uint16_t port, const char *name) {
  char text[KEY_TEXT];
  int n = snprintf(text, sizeof text, "%s %u %s", host, port, name);
  size_t len = n < 0 ? 0 : COHO_MIN((size_t)n, sizeof text - 1);
  return (struct coho__session_key){
      {coho__siphash(t->seeds[0], text, len), coho__siphash(t->seeds[1], text, len)}};
}

uint32_t coho__tls_sessions_generation(struct coho__tls_sessions *t) {
  pthread_mutex_lock(&t->lock);
  uint32_t generation = t->generation;
  pthread_mutex_unlock(&t->lock);
  return generation;
}

void coho__tls_sessions_forget(struct coho__tls_sessions *t) {
  pthread_mutex_lock(&t->lock);
  t->generation++;
  drop_all(t);
  pthread_mutex_unlock(&t->lock);
}

static bool is_for(const struct coho__session_place *p, const struct coho__session_key *key) {
  return p->session && !memcmp(&p->key, key, sizeof *key);
}

/* A free place, or the one kept longest: of this key when it has all it may have. */
static struct coho__session_place *choose_place(struct coho__tls_sessions *t,
                                                const struct coho__session_key *key) {
  struct coho__session_place *oldest = &t->places[0], *own = NULL;
  size_t owned = 0;
  for (size_t i = 0; i < COHO_SESSIONS_MOST; i++) {
    struct coho__session_place *p = &t->places[i];
    if (is_for(p, key)) {
      owned++;
      if (!own || p->kept < own->kept) own = p;
    }
    if (oldest->session && (!p->session || p->kept < oldest->kept)) oldest = p;
  }
  return owned >= COHO_SESSIONS_EACH ? own : oldest;
}

static bool worth_keeping(SSL_SESSION *session) {
  const unsigned char *ticket;
  size_t len = 0;
  SSL_SESSION_get0_ticket(session, &ticket, &len);
  return SSL_SESSION_is_resumable(session) && len <= COHO_SESSION_TICKET;
}

void coho__tls_sessions_keep(struct coho__tls_sessions *t, const struct coho__session_key *key,
                             uint32_t generation, SSL_SESSION *session) {
  pthread_mutex_lock(&t->lock);
  if (generation == t->generation && worth_keeping(session)) {
    struct coho__session_place *p = choose_place(t, key);
    drop(p);
    *p = (struct coho__session_place){*key, session, ++t->count};
    session = NULL;
  }
  pthread_mutex_unlock(&t->lock);
  SSL_SESSION_free(session);
}

static bool expired(const SSL_SESSION *session) {
  return time(NULL) >= SSL_SESSION_get_time(session) + SSL_SESSION_get_timeout(session);
}

SSL_SESSION *coho__tls_sessions_take(struct coho__tls_sessions *t,
                                     const struct coho__session_key *key) {
  struct coho__session_place *newest = NULL;
  SSL_SESSION *session = NULL;
  pthread_mutex_lock(&t->lock);
  for (size_t i = 0; i < COHO_SESSIONS_MOST; i++) {
    struct coho__session_place *p = &t->places[i];
    if (is_for(p, key) && (!newest || p->kept > newest->kept)) newest = p;
  }
  if (newest) {
    session = newest->session;
    newest->session = NULL;
  }
  pthread_mutex_unlock(&t->lock);
  if (!session || !expired(session)) return session;
  SSL_SESSION_free(session);
  return NULL;
}
