/*
 * run_corpus PATH...: a target as a plain program of any compiler: each file, and each file of each
 * folder, is one input. A bug ends the process, and the line before it names the file.
 */
#include "support/claim.h"
#include "support/input.h"

#include <dirent.h>
#include <string.h>
#include <sys/stat.h>

static size_t inputs;

static void run_file(const char *path) {
  FILE *file = fopen(path, "rb");
  struct stat facts;
  CLAIM(file != NULL && fstat(fileno(file), &facts) == 0);
  size_t len = (size_t)facts.st_size;
  uint8_t *data = (uint8_t *)malloc(len ? len : 1);
  CLAIM(data != NULL && fread(data, 1, len, file) == len);
  (void)fclose(file);
  printf("%s\n", path);
  (void)fflush(stdout);
  (void)LLVMFuzzerTestOneInput(data, len);
  free(data);
  inputs++;
}

static int visible(const struct dirent *entry) { return entry->d_name[0] != '.'; }

static void run_path(const char *path) {
  struct dirent **entries;
  int count = scandir(path, &entries, visible, alphasort);
  if (count < 0) {
    run_file(path);
    return;
  }
  for (int i = 0; i < count; i++) {
    char name[4096];
    int len = snprintf(name, sizeof name, "%s/%s", path, entries[i]->d_name);
    CLAIM(len > 0 && (size_t)len < sizeof name);
    run_file(name);
    free(entries[i]);
  }
  free(entries);
}

int main(int argc, char **argv) {
  (void)LLVMFuzzerTestOneInput(NULL, 0);
  for (int i = 1; i < argc; i++)
    run_path(argv[i]);
  /* tools/count-tests.py reads the first line. */
  printf("[  PASSED  ] 1 test\n%zu inputs\n", inputs);
  return inputs == 0;
}
