/*
 * Where a server has topics: the routes below a prefix, and the mount that requests and handshakes begin
 * with. Other options come as another mount in its place; who came by the old one keeps it. What has to
 * outlast that is the site's: tickets, and what addresses did lately.
 */
#ifndef COHO_TOPICS_SITE_H
#define COHO_TOPICS_SITE_H

#include "topics/mount.h"

struct coho__site;

/* What holds now, with a reference. Any thread. */
struct coho__mount *coho__site_mount(struct coho__site *site);

#endif
