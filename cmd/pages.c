#define _GNU_SOURCE
#include "pages.h"

#include "assets.h"

#include <coho/error.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char CLIENT[] = "/coho.js";

const coho_asset *pages_find(const char *path) {
  for (size_t i = 0; i < coho__assets_count; i++)
    if (!strcmp(coho__assets[i].path, path)) return &coho__assets[i];
  return NULL;
}

/* All but those of the admin page, which are for its listener. */
int pages_route_demo(coho_server *s) {
  size_t count = 0;
  coho_asset *pages = (coho_asset *)calloc(coho__assets_count, sizeof *pages);
  if (!pages) return COHO_ENOMEM;
  for (size_t i = 0; i < coho__assets_count; i++)
    if (strncmp(coho__assets[i].path, "/admin.", 7) != 0) pages[count++] = coho__assets[i];
  int err = coho_route_assets(s, "/", pages, count);
  free(pages);
  return err;
}

static void get_client(coho_request *r, void *user) {
  (void)coho_reply_asset(r, (const coho_asset *)user);
}

static bool has_own(const char *root) {
  int dir = root ? open(root, O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;
  if (dir < 0) return false;
  bool found = faccessat(dir, CLIENT + 1, F_OK, 0) == 0;
  close(dir);
  return found;
}

int pages_route_client(coho_server *s, const char *root) {
  static coho_asset client;
  const coho_asset *found = pages_find(CLIENT);
  if (!found || has_own(root)) return 0;
  client = *found;
  return coho_route_http(s, "GET", CLIENT, get_client, &client);
}
