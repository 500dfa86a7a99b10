#include "http/serve_files.h"

#include "base/alloc.h"
#include "base/log.h"
#include "base/sized.h"
#include "http/conditions.h"
#include "http/date.h"
#include "http/encoding.h"
#include "http/files_disk.h"
#include "http/media_type.h"
#include "http/range.h"
#include "http/reply.h"
#include "proto/answer_field.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
  ETAG_MOST = 80,
  GZIP_ETAG_MOST = ETAG_MOST + 3, /* "-gz" */
  QUERY_MOST = 8 * 1024,          /* of a path that is redirected */
  LOCATION_MOST = 3 * COHO_DISK_NAME + QUERY_MOST + 3,
  FIELDS_MOST = 8 * 1024 /* of those that go with every file: half of what a reply takes */
};

/* What a route serves: a folder, or assets. */
struct files {
  int folder;         /* -1: assets */
  coho_asset *assets; /* its own array of them */
  size_t count;
};

static const char index_page[] = "index.html";

/* What is asked for: "/" and the path below the prefix, without slash at its end. */
struct name {
  char path[1 + COHO_DISK_NAME + sizeof "/index.html"];
  size_t len;
  bool slash; /* there was one: a folder is meant */
};

/* A file that was found. */
struct found {
  const char *type;
  char etag[GZIP_ETAG_MOST];
  int64_t modified; /* -1: not known */
  bool varies;      /* there is a compressed one, too */
  bool gzip;        /* and it is this */
  struct coho__source source;
};

/* ---- replies --------------------------------------------------------------------------------- */

static void not_found(struct coho__http_conn *c) {
  int err = coho__reply_text(c, 404, NULL);
  if (err) coho__reply_refuse(c, err);
}

static void put_encoded(char *dst, size_t *len, unsigned char c) {
  static const char plain[] = "-._~/!$&'()*+,;=:@";
  static const char hex[] = "0123456789ABCDEF";
  bool alnum = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
  if (alnum || (c && strchr(plain, c))) {
    dst[(*len)++] = (char)c;
    return;
  }
  dst[(*len)++] = '%';
  dst[(*len)++] = hex[c >> 4];
  dst[(*len)++] = hex[c & 15];
}

/* To the same path with a slash behind it: relative links of the folder's page need it. */
static void redirect(struct coho__http_conn *c) {
  char location[LOCATION_MOST];
  const char *path = c->request.path, *query = c->request.query;
  size_t len = 0;
  if (strlen(path) > COHO_DISK_NAME || strlen(query) > QUERY_MOST) {
    coho__reply_refuse(c, COHO_ETARGETLONG);
    return;
  }
  for (; *path; path++)
    put_encoded(location, &len, (unsigned char)*path);
  (void)snprintf(location + len, sizeof location - len, "/%s%s", *query ? "?" : "", query);
  int err = coho__reply_field(c, "Location", location);
  if (!err) err = coho__reply_text(c, 301, NULL);
  if (err) coho__reply_refuse(c, err);
}

static int add_fields(struct coho__http_conn *c, const struct found *f, int status) {
  char date[COHO_DATE_SIZE];
  const struct coho__buf *more = &c->http->conf->file_fields;
  int err = coho__reply_field(c, "ETag", f->etag);
  if (!err && f->modified >= 0) {
    err = coho__reply_field(c, "Last-Modified", coho__date_format(date, f->modified));
  }
  if (!err && f->gzip && (status == 200 || status == 206))
    err = coho__reply_field(c, "Content-Encoding", "gzip");
  if (!err && f->varies) err = coho__reply_field(c, "Vary", "Accept-Encoding");
  /* no-cache: may be kept, has to be asked for again, which costs a 304 */
  if (!err) err = coho__reply_field(c, "Cache-Control", "no-cache");
  if (!err) err = coho__reply_field(c, "Accept-Ranges", "bytes");
  if (!err) err = coho__reply_field(c, "X-Content-Type-Options", "nosniff");
  return err ? err : coho__buf_append(&c->fields, more->data, more->len);
}

/* Looks for a range and cuts the source accordingly. The status: 200, 206, 416 or an error. */
static int cut_range(struct coho__http_conn *c, struct found *f,
                     const struct coho__validators *now) {
  const struct coho__http1 *head = &c->request.head;
  uint64_t size = f->source.left;
  char text[80];
  struct coho__range range = {0, 0};
  struct coho__view wanted;
  /* RFC 9110 14.2: for GET only. */
  if (!coho__view_eq(coho__http1_method(head), VIEW("GET"))) return 200;
  if (!coho__http1_only(head, "Range", &wanted) || !coho__conditions_range(head, now)) return 200;
  enum coho__range_kind kind = coho__range_parse(wanted, size, &range);
  if (kind == COHO_RANGE_WHOLE) return 200;
  if (kind == COHO_RANGE_BEYOND) {
    (void)snprintf(text, sizeof text, "bytes */%" PRIu64, size);
  } else {
    (void)snprintf(text, sizeof text, "bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64, range.first,
                   range.first + range.len - 1, size);
    f->source.offset = range.first;
    f->source.left = range.len;
  }
  int err = coho__reply_field(c, "Content-Range", text);
  if (err) return err;
  return kind == COHO_RANGE_BEYOND ? 416 : 206;
}

/* Takes the source of f. */
static void reply_file(struct coho__http_conn *c, struct found *f) {
  struct coho__validators now = {f->etag, f->modified};
  int status = coho__conditions_check(&c->request.head, &now);
  if (!status) status = cut_range(c, f, &now);
  int err = status < 0 ? status : add_fields(c, f, status);
  if (!err && (status == 200 || status == 206 || status == 304)) {
    struct coho__answer a = {.status = status, .type = f->type, .source = f->source};
    err = coho__reply(c, &a);
  } else {
    coho__source_drop(&f->source);
    if (!err) err = coho__reply_text(c, status, NULL);
  }
  if (err) coho__reply_refuse(c, err);
}

static void add_index(struct name *name) {
  if (name->len > 1) name->path[name->len++] = '/';
  memcpy(name->path + name->len, index_page, sizeof index_page);
  name->len += sizeof index_page - 1;
}

/* ---- from a directory ------------------------------------------------------------------------ */

static int open_disk(const struct files *files, const struct name *name,
                     struct coho__disk_file *file) {
  return coho__files_disk_open(files->folder, name->path + 1, file);
}

static void serve_disk(struct coho__http_conn *c, const struct files *files, struct name *name) {
  struct coho__disk_file file;
  struct found f = {.modified = -1};
  int err = open_disk(files, name, &file);
  if (!err && file.folder && !name->slash) {
    redirect(c);
    return;
  }
  if (!err && file.folder) {
    add_index(name);
    err = open_disk(files, name, &file);
  } else if (!err && name->slash) {
    close(file.fd); /* "file.txt/" is nothing */
    err = COHO_ENOENT;
  }
  if (err == COHO_EMFILE || err == COHO_ENOMEM || err == COHO_ESYSTEM) {
    coho__log(COHO_LOG_ERROR, "cannot open %s to serve it: %s", name->path, coho_strerror(err));
    coho__reply_refuse(c, err == COHO_ESYSTEM ? err : COHO_EOVERLOAD);
    return;
  }
  if (err || file.folder) {
    not_found(c);
    return;
  }
  (void)snprintf(f.etag, sizeof f.etag, "\"%" PRIx64 ".%" PRIx32 "-%" PRIx64 "\"",
                 (uint64_t)file.modified, file.modified_ns, file.size);
  f.type = coho__media_type(name->path);
  f.modified = file.modified;
  f.source = (struct coho__source){NULL, file.fd, 0, file.size};
  reply_file(c, &f);
}

/* ---- from memory ----------------------------------------------------------------------------- */

/* A strong entity-tag: '"' *etagc '"' (RFC 9110 8.8.3). */
static bool etag_ok(const char *etag) {
  size_t len = strlen(etag);
  if (len < 2 || len >= ETAG_MOST || etag[0] != '"' || etag[len - 1] != '"') return false;
  for (size_t i = 1; i < len - 1; i++) {
    unsigned char c = (unsigned char)etag[i];
    if (c <= 0x20 || c == '"' || c == 0x7f) return false;
  }
  return true;
}

static bool content_ok(const coho_asset *a) {
  if (!a->type || !a->etag) return false;
  return coho__reply_type_ok(a->type) && etag_ok(a->etag) && (a->data || !a->len) &&
         (a->gzip || !a->gzip_len);
}

static int compare_path(const void *path, const void *asset) {
  return strcmp((const char *)path, ((const coho_asset *)asset)->path);
}

static const coho_asset *find_asset(const struct files *files, const struct name *name) {
  if (files->count == 0) return NULL;
  return (const coho_asset *)bsearch(name->path, files->assets, files->count, sizeof *files->assets,
                                     compare_path);
}

/* The two forms are two representations: each has a tag of its own (RFC 9110 8.8.3). */
static void reply_asset(struct coho__http_conn *c, const coho_asset *asset) {
  struct found f = {.type = asset->type, .modified = -1, .varies = asset->gzip != NULL};
  f.gzip = f.varies && coho__encoding_takes_gzip(&c->request.head);
  (void)snprintf(f.etag, sizeof f.etag, "%.*s%s\"", (int)strlen(asset->etag) - 1, asset->etag,
                 f.gzip ? "-gz" : "");
  if (f.gzip)
    f.source = (struct coho__source){(const char *)asset->gzip, -1, 0, asset->gzip_len};
  else
    f.source = (struct coho__source){(const char *)asset->data, -1, 0, asset->len};
  reply_file(c, &f);
}

static void serve_asset(struct coho__http_conn *c, const struct files *files, struct name *name) {
  if (name->slash) add_index(name);
  const coho_asset *asset = find_asset(files, name);
  if (!asset) {
    add_index(name);
    if (!name->slash && find_asset(files, name)) {
      redirect(c);
    } else {
      not_found(c);
    }
    return;
  }
  reply_asset(c, asset);
}

int coho__files_reply_asset(coho_request *r, const coho_asset *asset, size_t size) {
  coho_asset a;
  if (!asset) return COHO_EINVAL;
  int err = coho__sized_read(&a, sizeof a, asset, size);
  if (err) return err;
  if (!content_ok(&a)) return COHO_EINVAL;
  if (coho__http_replied(r)) return COHO_EBUSY;
  reply_asset(coho__http_conn_of(r), &a);
  return 0;
}

/* ---- the route ------------------------------------------------------------------------------- */

/* False: a name that is never served. */
static bool parse_name(struct name *name, const char *path, const char *rest) {
  size_t len = strlen(rest);
  name->slash = path[strlen(path) - 1] == '/';
  if (len && name->slash) {
    len--;
    if (len == 0) return false; /* "//" */
  }
  if (len > COHO_DISK_NAME) return false;
  name->path[0] = '/';
  memcpy(name->path + 1, rest, len);
  name->path[1 + len] = 0;
  name->len = 1 + len;
  return coho__files_disk_name(name->path + 1);
}

static void serve(coho_request *r, void *ctx) {
  const struct files *files = (const struct files *)ctx;
  struct coho__http_conn *c = coho__http_conn_of(r);
  struct name name;
  if (!parse_name(&name, r->path, coho_request_param(r, "*"))) {
    not_found(c);
  } else if (files->folder >= 0) {
    serve_disk(c, files, &name);
  } else {
    serve_asset(c, files, &name);
  }
}

static void free_files(void *ctx) {
  struct files *files = (struct files *)ctx;
  if (files->folder >= 0) close(files->folder);
  coho__free(files->assets, files->count * sizeof *files->assets);
  coho__free(files, sizeof *files);
}

/* Takes what is in from, also on failure. */
static int add_route(struct coho__routes *rs, const char *prefix, const struct files *from) {
  static char method[] = "GET";
  char pattern[256];
  size_t len = prefix ? strlen(prefix) : 0;
  struct files *files = (struct files *)coho__alloc(sizeof *files);
  struct coho__route route = {.kind = COHO_ROUTE_HTTP,
                              .method = method,
                              .serve = serve,
                              .ctx = files,
                              .free_ctx = free_files};
  int err = 0;
  if (!files) {
    if (from->folder >= 0) close(from->folder);
    coho__free(from->assets, from->count * sizeof *from->assets);
    return COHO_ENOMEM;
  }
  *files = *from;
  if (len && prefix[len - 1] == '/') len--;
  if (!prefix || prefix[0] != '/' || len > sizeof pattern - 3) err = COHO_EINVAL;
  if (!err) {
    (void)snprintf(pattern, sizeof pattern, "%.*s/*", (int)len, prefix);
    err = coho__routes_add(rs, pattern, &route);
  }
  if (err) free_files(files);
  return err;
}

int coho__files_route_dir(struct coho__routes *rs, const char *prefix, const char *dir) {
  if (!dir) return COHO_EINVAL;
  int folder = coho__files_disk_folder(dir);
  if (folder < 0) return folder;
  return add_route(rs, prefix, &(struct files){.folder = folder});
}

/* ---- assets of the program ------------------------------------------------------------------- */

/* From an array whose elements have the size that the program knows. */
static int read_assets(coho_asset *dst, const coho_asset *src, size_t count, size_t size) {
  const char *from = (const char *)src;
  for (size_t i = 0; i < count; i++) {
    int err = coho__sized_read(&dst[i], sizeof dst[i], from + i * size, size);
    if (err) return err;
    if (!dst[i].path || dst[i].path[0] != '/' || !content_ok(&dst[i])) return COHO_EINVAL;
    if (i && strcmp(dst[i - 1].path, dst[i].path) >= 0) return COHO_EINVAL;
  }
  return 0;
}

int coho__files_route_assets(struct coho__routes *rs, const char *prefix, const coho_asset *assets,
                             size_t count, size_t size) {
  struct files files = {.folder = -1, .count = count};
  if (count && !assets) return COHO_EINVAL;
  if (count) {
    files.assets = (coho_asset *)coho__alloc(count * sizeof *files.assets);
    if (!files.assets) return COHO_ENOMEM;
  }
  int err = read_assets(files.assets, assets, count, size);
  if (!err) return add_route(rs, prefix, &files);
  coho__free(files.assets, count * sizeof *files.assets);
  return err;
}

/* ---- fields of every file -------------------------------------------------------------------- */

/* A second one would contradict ours. */
static bool is_ours(struct coho__view name) {
  static const char *const ours[] = {"Accept-Ranges",         "Cache-Control", "Content-Encoding",
                                     "Content-Range",         "ETag",          "Last-Modified",
                                     "X-Content-Type-Options"};
  for (size_t i = 0; i < COHO_COUNT(ours); i++) {
    if (coho__view_eq_nocase(name, coho__view_of(ours[i]))) return true;
  }
  return false;
}

int coho__files_fields(const char *const *headers, struct coho__buf *out) {
  out->max = FIELDS_MOST;
  for (; headers && *headers; headers++) {
    struct coho__view rest = coho__view_of(*headers);
    struct coho__view name = coho__view_split(&rest, ':'), value = coho__view_trim(rest);
    if (!rest.data || is_ours(name) || !coho__answer_field_ok(name, value)) return COHO_EOPTION;
    int err = coho__buf_printf(out, "%.*s: %.*s\r\n", (int)name.len, name.data, (int)value.len,
                               value.data);
    if (err) return err == COHO_EFULL ? COHO_EOPTION : err;
  }
  return 0;
}
