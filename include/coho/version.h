/* coho: version and export macros. */
#ifndef COHO_VERSION_H
#define COHO_VERSION_H

#define COHO_VERSION_MAJOR 0
#define COHO_VERSION_MINOR 1
#define COHO_VERSION_PATCH 0
#define COHO_VERSION       "0.1.0"

#if defined(__GNUC__) || defined(__clang__)
#  define COHO_API __attribute__((visibility("default")))
#else
#  define COHO_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* The version of the library that runs, as "MAJOR.MINOR.PATCH". Static storage; any thread. */
COHO_API const char *coho_version(void);

#ifdef __cplusplus
}
#endif

#endif
