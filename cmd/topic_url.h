/* The URL of a topic, taken apart: that of the hub, and the topic's name. */
#ifndef COHO_CMD_TOPIC_URL_H
#define COHO_CMD_TOPIC_URL_H

#include "option.h"

#include <stdbool.h>

struct topic_url {
  char *hub;         /* ends with a slash */
  const char *topic; /* inside text; NULL: the URL names none */
  char *text;
};

/* typed as of address_url(). With named, topics are given beside, and the URL is the hub's; else it is
   HUB/t/TOPIC, which is not checked. beside: how else a topic is named, for the sentence about one that
   is not. 0, or an exit status after a sentence. */
int topic_url_read(const struct command *c, const char *typed, bool named, const char *beside,
                   struct topic_url *out);
/* Whether a URL, as typed, has a topic behind /t/. */
bool topic_url_names(const char *typed);
void topic_url_free(struct topic_url *u);

/* 0, or EXIT_USAGE after a sentence: no name of a topic, nor of its companion; no pattern. */
int topic_check(const struct command *c, const char *topic);
int topic_check_pattern(const struct command *c, const char *pattern);
bool topic_is_companion(const char *topic); /* "NAME/presence" */
bool topic_is_pattern(const char *topic);   /* has what only patterns have */

#endif
