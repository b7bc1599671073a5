/*
 * ONNX's own test cases, as Debian's libonnx-testdata installs them: every case whose operators and types the library has must
 * give the outputs that lie beside it, at accuracy exact, to the tolerance of ONNX's backend tests.
 *
 * usage: onnx_cases FOLDER [KIND/CASE]...
 *
 * Prints run, passed and skipped, and why cases were skipped. 77: the folder is not there.
 */
#include "compare.h"
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Kinds of cases, and how many of each have operators and types of ours. */
static const struct {
  const char *name;
  int least;
} kinds[] = {{"node", 404}, {"pytorch-converted", 82}, {"pytorch-operator", 35}, {"simple", 5}};

/* Cases that have our operators and types, but cannot agree. */
static const struct {
  const char *name, *cause;
} exceptions[] = {
    {"node/test_training_dropout", "its mask is drawn by numpy"},
    {"node/test_training_dropout_mask", "its mask is drawn by numpy"},
    {"node/test_training_dropout_default", "its mask is drawn by numpy"},
    {"node/test_training_dropout_default_mask", "its mask is drawn by numpy"},
};

enum { EXCEPTIONS = sizeof exceptions / sizeof *exceptions, REASONS = 32 };

typedef struct {
  int run, passed, skipped, failed, excepted;
  struct {
    char text[64];
    int count;
  } reasons[REASONS];
} tally;

static bool near_enough(const cnnblas_onnx_array *got, const cnnblas_onnx_array *wanted, char *why, size_t size)
{
  return compare_arrays(got, wanted, 1e-3, 1e-7, why, size);
}

/* Counts a skipped case under what its error begins with. */
static void skip(tally *t, const char *why)
{
  char text[64];
  int i = 0;
  bool operators = !strncmp(why, "not supported in version", 24);
  snprintf(text, sizeof text, "%s",
           operators           ? "operators that the library does not have"
           : strstr(why, ": ") ? strstr(why, ": ") + 2
                               : why);
  while (i < REASONS - 1 && *t->reasons[i].text && strcmp(t->reasons[i].text, text)) i++;
  memcpy(t->reasons[i].text, text, sizeof text);
  t->reasons[i].count++;
  t->skipped++;
}

static int excepted(const char *name)
{
  for (int i = 0; i < EXCEPTIONS; i++)
    if (!strcmp(exceptions[i].name, name)) return i;
  return -1;
}

static bool run_sets(cnnblas_onnx *model, const char *folder, char *why, size_t size)
{
  for (int set = 0;; set++) {
    char path[512];
    struct stat s;
    snprintf(path, sizeof path, "%s/test_data_set_%d", folder, set);
    if (stat(path, &s)) return set > 0;
    if (!compare_folder(model, path, near_enough, why, size)) return false;
  }
}

static void run_case(tally *t, const char *root, const char *name)
{
  char folder[400], path[420], why[600] = "no test data";
  cnnblas_onnx *model = NULL;
  cnnblas_onnx_options options = {.accuracy = CNNBLAS_ACCURACY_EXACT};
  snprintf(folder, sizeof folder, "%s/%s", root, name);
  snprintf(path, sizeof path, "%s/model.onnx", folder);
  if (access(path, F_OK)) {
    skip(t, "no model");
    return;
  }
  cnnblas_status status = cnnblas_onnx_load(path, &options, &model);
  if (status == CNNBLAS_UNSUPPORTED && excepted(name) < 0) {
    skip(t, cnnblas_last_error());
    return;
  }
  if (status) snprintf(why, sizeof why, "%s", cnnblas_last_error());
  bool fine = !status && run_sets(model, folder, why, sizeof why);
  t->run++;
  if (fine) {
    t->passed++;
  } else if (excepted(name) >= 0) {
    printf("%s: %s (%s)\n", name, exceptions[excepted(name)].cause, why);
    t->excepted++;
  } else {
    printf("FAILED %s: %s\n", name, why);
    t->failed++;
  }
  cnnblas_onnx_destroy(model);
}

static int is_name(const struct dirent *entry)
{
  return entry->d_name[0] != '.';
}

static bool run_kind(const char *root, int kind)
{
  char folder[300], name[300];
  struct dirent **entries;
  tally t = {0};
  snprintf(folder, sizeof folder, "%s/%s", root, kinds[kind].name);
  int count = scandir(folder, &entries, is_name, alphasort);
  for (int i = 0; i < count; i++) {
    snprintf(name, sizeof name, "%s/%.200s", kinds[kind].name, entries[i]->d_name);
    run_case(&t, root, name);
    free(entries[i]);
  }
  if (count >= 0) free(entries);
  printf("%s: %d run, %d passed, %d exceptions, %d failed, %d skipped:\n", kinds[kind].name, t.run, t.passed,
         t.excepted, t.failed, t.skipped);
  for (int i = 0; i < REASONS && t.reasons[i].count; i++) printf("  %4d  %s\n", t.reasons[i].count, t.reasons[i].text);
  if (t.passed + t.excepted < kinds[kind].least)
    printf("FAILED %s: fewer than %d\n", kinds[kind].name, kinds[kind].least);
  return !t.failed && t.passed + t.excepted >= kinds[kind].least;
}

int main(int argc, char **argv)
{
  bool fine = true;
  if (argc < 2) return 2;
  if (access(argv[1], F_OK)) {
    printf("skipped: no %s (Debian: libonnx-testdata)\n", argv[1]);
    return 77;
  }
  if (argc > 2) {
    tally t = {0};
    for (int i = 2; i < argc; i++) run_case(&t, argv[1], argv[i]);
    printf("%d run, %d passed, %d skipped\n", t.run, t.passed, t.skipped);
    return t.passed != argc - 2;
  }
  for (int kind = 0; kind < (int)(sizeof kinds / sizeof *kinds); kind++) fine = run_kind(argv[1], kind) && fine;
  return !fine;
}
