/* The pages of web/, embedded by the build, sorted by path. */
#ifndef COHO_CMD_ASSETS_H
#define COHO_CMD_ASSETS_H

#include <coho/coho.h>

extern const coho_asset coho__assets[];
extern const size_t coho__assets_count;

#endif
