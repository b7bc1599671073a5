/*
 * Wisdom: choices survive a round trip through a file and are taken without measuring; files that are cut short, damaged,
 * edited or somebody else's are refused with file, line and reason, and leave the object as it was.
 */
#include "support/harness.h"
#include "support/names.h"
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MOST = 1 << 16 };
static char folder[] = "/tmp/cnnblas_wisdom_XXXXXX", path[64];
static char text[MOST], changed[MOST];

static const cnnblas_conv_desc shape = {
    .n = 2, .c = 4, .k = 8, .size = {9, 10}, .kernel = {3, 3}, .pad_begin = {1, 1}, .pad_end = {1, 1}};

static size_t read_file(char *to)
{
  FILE *file = fopen(path, "rb");
  if (!file) FAIL("%s cannot be read", path);
  size_t bytes = fread(to, 1, MOST - 1, file);
  fclose(file);
  to[bytes] = 0;
  return bytes;
}

static void write_file(const char *from, size_t bytes)
{
  FILE *file = fopen(path, "wb");
  if (!file || fwrite(from, 1, bytes, file) != bytes || fclose(file)) FAIL("%s cannot be written", path);
}

/* Writes the lines with the last one, "end COUNT HASH", as it has to be for them. */
static void write_sealed(const char *lines, size_t count)
{
  unsigned long long h = 14695981039346656037u;
  for (const char *c = lines; *c; c++) h = (h ^ (unsigned char)*c) * 1099511628211u;
  char whole[MOST];
  int bytes = snprintf(whole, sizeof whole, "%send %zu %016llx\n", lines, count, h);
  write_file(whole, (size_t)bytes);
}

/* changed = text without its last line, the first `old` replaced by `new`. */
static void change(const char *old, const char *new)
{
  const char *at = strstr(text, old), *end = strstr(text, "\nend ") + 1;
  if (!at) FAIL("no \"%s\" in the file", old);
  snprintf(changed, sizeof changed, "%.*s%s%.*s", (int)(at - text), text, new, (int)(end - at - (long)strlen(old)),
           at + strlen(old));
}

static cnnblas_wisdom *create(void)
{
  cnnblas_wisdom *wisdom = NULL;
  ASSERT_OK(cnnblas_wisdom_create(&wisdom));
  assert_int_equal(cnnblas_wisdom_count(wisdom), 0);
  return wisdom;
}

/* The algorithm of a measured plan; *recalled (unless NULL): whether it says that the wisdom knew it. */
static const char *choice(const cnnblas_conv_desc *d, int direction, cnnblas_conv_options o, cnnblas_wisdom *wisdom,
                          bool *recalled)
{
  cnnblas_conv_plan *plan;
  char words[4096];
  o.effort = CNNBLAS_MEASURE;
  o.wisdom = wisdom;
  ASSERT_OK(cnnblas_conv_plan_create(d, (cnnblas_conv_direction)direction, &o, &plan));
  ASSERT_OK(cnnblas_conv_plan_describe(plan, words, sizeof words, NULL));
  if (recalled) *recalled = strstr(words, "(from the wisdom)") != NULL;
  const char *name = cnnblas_conv_plan_algorithm(plan);
  cnnblas_conv_plan_destroy(plan);
  return name;
}

/* A file of one problem in text. */
static void one_problem(void)
{
  cnnblas_wisdom *wisdom = create();
  choice(&shape, 0, (cnnblas_conv_options){0}, wisdom, NULL);
  ASSERT_OK(cnnblas_wisdom_save(wisdom, path));
  cnnblas_wisdom_destroy(wisdom);
  read_file(text);
}

/* The file is refused by an object that holds something, which it keeps; the message holds every word (apart by '|'). */
static void expect_refusal(cnnblas_status want, const char *words)
{
  cnnblas_wisdom *wisdom = create();
  cnnblas_conv_desc other = shape;
  other.k = 5;
  choice(&other, 0, (cnnblas_conv_options){0}, wisdom, NULL);
  cnnblas_status got = cnnblas_wisdom_load(wisdom, path);
  if (got != want) FAIL("gave %s (%s); expected %s", cnnblas_status_string(got), cnnblas_last_error(), words);
  char list[256];
  snprintf(list, sizeof list, "%s|%s", path, words);
  for (char *word = strtok(list, "|"); word; word = strtok(NULL, "|"))
    if (!strstr(cnnblas_last_error(), word)) FAIL("no \"%s\" in \"%s\"", word, cnnblas_last_error());
  assert_int_equal(cnnblas_wisdom_count(wisdom), 1);
  cnnblas_wisdom_destroy(wisdom);
}

static void test_round_trip(void **state)
{
  (void)state;
  cnnblas_wisdom *first = create(), *second = create();
  const char *chosen[2][DIRECTIONS];
  bool recalled;
  for (int t = 0; t < 2; t++)
    for (int d = 0; d < DIRECTIONS; d++) {
      cnnblas_conv_desc desc = shape;
      desc.dtype = t ? CNNBLAS_F64 : CNNBLAS_F32;
      chosen[t][d] = choice(&desc, d, (cnnblas_conv_options){.threads = 1}, first, &recalled);
      assert_false(recalled);
    }
  assert_int_equal(cnnblas_wisdom_count(first), 6);
  ASSERT_OK(cnnblas_wisdom_save(first, path));
  ASSERT_OK(cnnblas_wisdom_load(second, path));
  assert_int_equal(cnnblas_wisdom_count(second), 6);
  for (int t = 0; t < 2; t++)
    for (int d = 0; d < DIRECTIONS; d++) {
      cnnblas_conv_desc desc = shape;
      desc.dtype = t ? CNNBLAS_F64 : CNNBLAS_F32;
      assert_string_equal(chosen[t][d], choice(&desc, d, (cnnblas_conv_options){.threads = 2}, second, &recalled));
      assert_true(recalled);
    }
  size_t bytes = read_file(text);
  ASSERT_OK(cnnblas_wisdom_save(second, path));
  assert_int_equal(read_file(changed), bytes);
  assert_memory_equal(text, changed, bytes);
  ASSERT_OK(cnnblas_wisdom_load(second, path)); /* the same once more changes nothing */
  assert_int_equal(cnnblas_wisdom_count(second), 6);
  cnnblas_wisdom_destroy(first);
  ASSERT_OK(cnnblas_wisdom_save(second, path));
  cnnblas_wisdom_destroy(second);
  struct stat about;
  assert_int_equal(stat(path, &about), 0);
  assert_int_equal(about.st_mode & 0600, 0600);
}

/* The name at the end of text's only problem, with its line feed. */
static const char *choice_of_line(void)
{
  static char name[64];
  const char *end = strstr(text, "\nend "), *begin = end;
  assert_non_null(end);
  while (begin[-1] != ' ') begin--;
  snprintf(name, sizeof name, "%.*s", (int)(end + 1 - begin), begin);
  return name;
}

/* The file decides, whatever is faster; and a loaded choice replaces the object's own. */
static void test_file_decides(void **state)
{
  (void)state;
  one_problem();
  const char *old = choice_of_line();
  cnnblas_wisdom *wisdom = create();
  static const char *const names[] = {IM2COL, IMPLICIT_GEMM, IMPLICIT_GEMM_PIXELS, IM2COL, IMPLICIT_GEMM_CHANNELS};
  for (int i = 0; i < 5; i++) {
    char line[64];
    bool recalled;
    snprintf(line, sizeof line, "%s\n", names[i]);
    change(old, line);
    write_sealed(changed, 1);
    ASSERT_OK(cnnblas_wisdom_load(wisdom, path));
    const char *chosen = choice(&shape, 0, (cnnblas_conv_options){0}, wisdom, &recalled);
    assert_true(recalled);
    assert_algorithm(chosen, names[i]);
    assert_string_equal(chosen, choice(&shape, 0, (cnnblas_conv_options){.algorithm = names[i]}, NULL, NULL));
    assert_int_equal(cnnblas_wisdom_count(wisdom), 1);
  }
  cnnblas_conv_plan *plan; /* a name goes before wisdom, and an estimate does not look */
  cnnblas_conv_options o = {.algorithm = NAIVE, .effort = CNNBLAS_MEASURE, .wisdom = wisdom};
  ASSERT_OK(cnnblas_conv_plan_create(&shape, CNNBLAS_FORWARD, &o, &plan));
  assert_string_equal(cnnblas_conv_plan_algorithm(plan), NAIVE);
  cnnblas_conv_plan_destroy(plan);
  /* what does not apply is measured anew: gemm_1x1 for a 3x3 filter */
  change(old, GEMM_1X1 "\n");
  write_sealed(changed, 1);
  ASSERT_OK(cnnblas_wisdom_load(wisdom, path));
  bool recalled;
  assert_string_not_equal(choice(&shape, 0, (cnnblas_conv_options){0}, wisdom, &recalled), GEMM_1X1);
  assert_false(recalled);
  assert_int_equal(cnnblas_wisdom_count(wisdom), 1);
  cnnblas_wisdom_destroy(wisdom);
}

/* Everything that a choice depends on makes another problem; the number of threads does not. */
static void test_keys(void **state)
{
  (void)state;
  cnnblas_wisdom *wisdom = create();
  size_t count = 0;
  bool recalled;
#define ANOTHER(SETTING)                                                                                               \
  do {                                                                                                                 \
    cnnblas_conv_desc d = shape;                                                                                       \
    cnnblas_conv_options o = {0};                                                                                      \
    int direction = 0;                                                                                                 \
    (void)direction;                                                                                                   \
    SETTING;                                                                                                           \
    choice(&d, direction, o, wisdom, &recalled);                                                                       \
    if (recalled || cnnblas_wisdom_count(wisdom) != ++count) FAIL("%s is no problem of its own", #SETTING);            \
    o.threads = 3;                                                                                                     \
    choice(&d, direction, o, wisdom, &recalled);                                                                       \
    if (!recalled || cnnblas_wisdom_count(wisdom) != count) FAIL("%s was forgotten", #SETTING);                        \
  } while (0)
  ANOTHER((void)0);
  ANOTHER(d.n = 3);
  ANOTHER(d.c = 8);
  ANOTHER(d.k = 4);
  ANOTHER(d.groups = 2);
  ANOTHER(d.size[0] = 11);
  ANOTHER(d.size[1] = 11);
  ANOTHER(d.kernel[0] = 2);
  ANOTHER(d.kernel[1] = 2);
  ANOTHER((d.stride[0] = 2, d.stride[1] = 1));
  ANOTHER((d.stride[0] = 1, d.stride[1] = 2));
  ANOTHER((d.dilation[0] = 1, d.dilation[1] = 2));
  ANOTHER(d.pad_begin[0] = 0);
  ANOTHER(d.pad_end[1] = 0);
  ANOTHER(d.mode = CNNBLAS_TRUE_CONVOLUTION);
  ANOTHER(d.dtype = CNNBLAS_F64);
  ANOTHER(direction = 1);
  ANOTHER(direction = 2);
  ANOTHER(o.accumulate = 1);
  ANOTHER(o.accuracy = CNNBLAS_ACCURACY_EXACT);
  ANOTHER(o.accuracy = CNNBLAS_ACCURACY_RELAXED);
  ANOTHER(o.workspace = CNNBLAS_WORKSPACE_NONE);
  ANOTHER((o.workspace = CNNBLAS_WORKSPACE_LIMIT, o.workspace_limit = 1 << 20));
  ANOTHER((d.rank = 3, d.size[2] = d.size[1], d.size[1] = d.size[0], d.size[0] = 2, d.kernel[2] = 3));
  cnnblas_wisdom_destroy(wisdom);
}

static void test_every_truncation(void **state)
{
  (void)state;
  one_problem();
  size_t bytes = strlen(text);
  cnnblas_wisdom *wisdom = create();
  for (size_t cut = 0; cut < bytes; cut++) {
    write_file(text, cut);
    cnnblas_status got = cnnblas_wisdom_load(wisdom, path);
    if (got != CNNBLAS_BAD_FORMAT || !strstr(cnnblas_last_error(), "the file ends"))
      FAIL("cut at byte %zu of %zu: %s, \"%s\"", cut, bytes, cnnblas_status_string(got), cnnblas_last_error());
    assert_int_equal(cnnblas_wisdom_count(wisdom), 0);
  }
  for (size_t at = 0; at < bytes; at++) { /* and every byte changed */
    memcpy(changed, text, bytes);
    changed[at] ^= 1;
    write_file(changed, bytes);
    cnnblas_status got = cnnblas_wisdom_load(wisdom, path);
    if (got != CNNBLAS_BAD_FORMAT && got != CNNBLAS_UNSUPPORTED) FAIL("byte %zu changed: accepted", at);
    assert_int_equal(cnnblas_wisdom_count(wisdom), 0);
  }
  write_file(text, bytes);
  ASSERT_OK(cnnblas_wisdom_load(wisdom, path));
  cnnblas_wisdom_destroy(wisdom);
}

static void test_refusals(void **state)
{
  (void)state;
  one_problem();
  static const struct {
    const char *old, *new;
    cnnblas_status status;
    const char *words;
  } cases[] = {
      {"cnnblas-wisdom 2", "cnnblas-wisdom 1", CNNBLAS_UNSUPPORTED, ":1: |\"1\"|\"2\""},
      {"cnnblas-wisdom", "fftw-wisdom", CNNBLAS_BAD_FORMAT, ":1: |fftw-wisdom"},
      {"library ", "library 9", CNNBLAS_UNSUPPORTED, ":2: |library is \"9"},
      {"cpu ", "cpu Vortex86 of ", CNNBLAS_UNSUPPORTED, ":3: |cpu is \"Vortex86 of"},
      {"level ", "level sse", CNNBLAS_UNSUPPORTED, ":4: |level is \"sse"},
      {"f32 forward", "f16 forward", CNNBLAS_BAD_FORMAT, ":5: |dtype is \"f16\""},
      {"f32 forward", "f32 sideways", CNNBLAS_BAD_FORMAT, ":5: |direction is \"sideways\""},
      {"forward default", "forward roughly", CNNBLAS_BAD_FORMAT, ":5: |accuracy is \"roughly\""},
      {"f32 forward default 0 ", "f32 forward default x ", CNNBLAS_BAD_FORMAT, ":5: |number 1 of 24 is \"x\""},
      {"f32 forward default 0 ", "f32 forward default 99999999999999999999 ", CNNBLAS_BAD_FORMAT,
       ":5: |number 1 of 24"},
      {"f32 forward default 0 ", "f32 forward default 0 0 ", CNNBLAS_BAD_FORMAT, ":5: |algorithm is"},
      {"f32 forward default 0 ", "f32 forward default ", CNNBLAS_BAD_FORMAT, ":5: |number 24 of 24"},
      {"f32 forward default 0 ", "f32 forward default  0 ", CNNBLAS_BAD_FORMAT, ":5: |number 1 of 24 is \"\""},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    harness_doing("\"%s\" made \"%s\"", cases[i].old, cases[i].new);
    change(cases[i].old, cases[i].new);
    write_sealed(changed, 1);
    expect_refusal(cases[i].status, cases[i].words);
  }
  const char *name = choice_of_line();
  static const char *const names[] = {"fourier\n", NAIVE "\n", "\n", "im2col twice\n"};
  static const char *const reasons[] = {":5: |\"fourier\"", ":5: |\"naive\"", ":5: |algorithm is \"\"",
                                        ":5: |\"twice\""};
  for (int i = 0; i < 4; i++) {
    change(name, names[i]);
    write_sealed(changed, 1);
    expect_refusal(CNNBLAS_BAD_FORMAT, reasons[i]);
  }
  change("f32", "f32"); /* the problem's line twice */
  const char *line = strstr(changed, "f32");
  static char twice[2 * MOST];
  snprintf(twice, sizeof twice, "%s%s", changed, line);
  write_sealed(twice, 2);
  expect_refusal(CNNBLAS_BAD_FORMAT, ":6: |stands in a line above");
  write_sealed(changed, 2);
  expect_refusal(CNNBLAS_BAD_FORMAT, ":6: |end 2|end 1");
  snprintf(twice, sizeof twice, "%sf32\n", text);
  write_file(twice, strlen(twice));
  expect_refusal(CNNBLAS_BAD_FORMAT, ":6: |goes on");
}

/* What is not a regular file stays what it was; a link stays, and its target keeps its mode. */
static void test_what_a_path_leads_to(void **state)
{
  (void)state;
  cnnblas_wisdom *wisdom = create();
  struct stat about;
  char link[96], pipe[96];
  snprintf(link, sizeof link, "%s/link", folder);
  snprintf(pipe, sizeof pipe, "%s/pipe", folder);
  assert_int_equal(mkfifo(pipe, 0600), 0);
  assert_int_equal(cnnblas_wisdom_save(wisdom, pipe), CNNBLAS_IO_ERROR);
  assert_int_equal(lstat(pipe, &about), 0);
  assert_true(S_ISFIFO(about.st_mode));
  assert_int_equal(cnnblas_wisdom_save(wisdom, "/dev/null"), CNNBLAS_IO_ERROR);
  assert_int_equal(lstat("/dev/null", &about), 0);
  assert_true(S_ISCHR(about.st_mode));
  assert_int_equal(cnnblas_wisdom_save(wisdom, ""), CNNBLAS_IO_ERROR);

  assert_int_equal(symlink("choices", link), 0);
  unlink(path);
  ASSERT_OK(cnnblas_wisdom_save(wisdom, link)); /* the link leads to nothing yet */
  assert_int_equal(chmod(path, 0600), 0);
  ASSERT_OK(cnnblas_wisdom_save(wisdom, link));
  assert_int_equal(lstat(link, &about), 0);
  assert_true(S_ISLNK(about.st_mode));
  assert_int_equal(lstat(path, &about), 0);
  assert_true(S_ISREG(about.st_mode) && (about.st_mode & 0777) == 0600 && about.st_size > 0);
  unlink(link);
  unlink(pipe);
  cnnblas_wisdom_destroy(wisdom);
}

static void test_paths_and_arguments(void **state)
{
  (void)state;
  cnnblas_wisdom *wisdom = create();
  char elsewhere[128];
  snprintf(elsewhere, sizeof elsewhere, "%s/no/such/file", folder);
  assert_int_equal(cnnblas_wisdom_load(wisdom, elsewhere), CNNBLAS_IO_ERROR);
  assert_non_null(strstr(cnnblas_last_error(), "no/such/file"));
  assert_int_equal(cnnblas_wisdom_save(wisdom, elsewhere), CNNBLAS_IO_ERROR);
  assert_non_null(strstr(cnnblas_last_error(), "no/such/file"));
  assert_int_equal(cnnblas_wisdom_load(wisdom, folder), CNNBLAS_IO_ERROR);
  assert_int_equal(cnnblas_wisdom_save(wisdom, folder), CNNBLAS_IO_ERROR); /* a folder is not replaced */
  assert_int_equal(cnnblas_wisdom_create(NULL), CNNBLAS_INVALID_ARGUMENT);
  assert_int_equal(cnnblas_wisdom_load(NULL, path), CNNBLAS_INVALID_ARGUMENT);
  assert_int_equal(cnnblas_wisdom_load(wisdom, NULL), CNNBLAS_INVALID_ARGUMENT);
  assert_int_equal(cnnblas_wisdom_save(NULL, path), CNNBLAS_INVALID_ARGUMENT);
  assert_int_equal(cnnblas_wisdom_save(wisdom, NULL), CNNBLAS_INVALID_ARGUMENT);
  assert_int_equal(cnnblas_wisdom_count(NULL), 0);
  cnnblas_wisdom_destroy(NULL);
  ASSERT_OK(cnnblas_wisdom_save(wisdom, path)); /* empty ones go round too */
  ASSERT_OK(cnnblas_wisdom_load(wisdom, path));
  assert_int_equal(cnnblas_wisdom_count(wisdom), 0);
  cnnblas_wisdom_destroy(wisdom);
  unlink(path);
  assert_int_equal(rmdir(folder), 0); /* nothing but the file was left, after all these saves */
}

static void *make_plans(void *context)
{
  for (int i = 0; i < 12; i++) {
    cnnblas_conv_desc d = shape;
    d.k = 2 + i % 4;
    choice(&d, i % DIRECTIONS, (cnnblas_conv_options){.threads = 1}, context, NULL);
    ASSERT_OK(cnnblas_wisdom_save(context, path));
    ASSERT_OK(cnnblas_wisdom_load(context, path));
  }
  return NULL;
}

static void test_threads(void **state)
{
  (void)state;
  pthread_t thread[4];
  cnnblas_wisdom *wisdom = create();
  for (int i = 0; i < 4; i++) assert_int_equal(pthread_create(&thread[i], NULL, make_plans, wisdom), 0);
  for (int i = 0; i < 4; i++) pthread_join(thread[i], NULL);
  assert_int_equal(cnnblas_wisdom_count(wisdom), 12);
  cnnblas_wisdom_destroy(wisdom);
}

int main(void)
{
  if (!mkdtemp(folder)) return 1;
  snprintf(path, sizeof path, "%s/choices", folder);
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_round_trip),
                                     cmocka_unit_test(test_file_decides),
                                     cmocka_unit_test(test_keys),
                                     cmocka_unit_test(test_refusals),
                                     cmocka_unit_test(test_every_truncation),
                                     cmocka_unit_test(test_threads),
                                     cmocka_unit_test(test_what_a_path_leads_to),
                                     cmocka_unit_test(test_paths_and_arguments)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
