/* benchdnn's problem grammar: fields, elisions, errors with their columns, files, and printing what was read. */
#include "descriptor.h"
#include "sets.h"
#include "support/harness.h"
#include "sweep.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bench_problem parse(const char *text)
{
  bench_problem problem;
  bench_parse_error error;
  if (!bench_descriptor_parse(text, strlen(text), &problem, &error))
    FAIL("%s: column %zu: %s", text, error.column, error.text);
  return problem;
}

static void check_axis(const cnnblas_conv_desc *d, int axis, const int64_t want[6])
{
  const int64_t got[6] = {d->size[axis],     d->kernel[axis],    d->stride[axis],
                          d->dilation[axis], d->pad_begin[axis], d->pad_end[axis]};
  for (int i = 0; i < 6; i++) assert_int_equal(got[i], want[i]);
}

#define CHECK_AXIS(desc, axis, ...)                                                                                    \
  check_axis(desc, axis, (const int64_t[6]){__VA_ARGS__}) /* size kernel stride dilation pads */

static void every_field(void **state)
{
  (void)state;
  bench_problem p = parse("g2_mb3_ic4id9ih10iw11_oc6od4oh5ow6_kd3kh2kw1_sd2sh2sw2_pd1ph0pw0_dd1dh1dw0_n\"all*12\"");
  assert_int_equal(p.desc.rank, 3);
  assert_int_equal(p.desc.groups, 2);
  assert_int_equal(p.desc.n, 3);
  assert_int_equal(p.desc.c, 4);
  assert_int_equal(p.desc.k, 6);
  CHECK_AXIS(&p.desc, 0, 9, 3, 2, 2, 1, 1);
  CHECK_AXIS(&p.desc, 1, 10, 2, 2, 2, 0, 1); /* oh5 takes one zero at the end */
  CHECK_AXIS(&p.desc, 2, 11, 1, 2, 1, 0, 0);
  assert_string_equal(p.name, "all");
  assert_int_equal(p.repeats, 12);
  p = parse("kh3oc4ic3ph1ih8"); /* any order */
  CHECK_AXIS(&p.desc, 0, 8, 3, 1, 1, 1, 1);
}

static void elisions(void **state)
{
  (void)state;
  bench_problem p = parse("mb8ic64ih56oc64oh56kh3ph1n\"name*3\"");
  assert_int_equal(p.desc.rank, 2);
  CHECK_AXIS(&p.desc, 0, 56, 3, 1, 1, 1, 1);
  CHECK_AXIS(&p.desc, 1, 56, 3, 1, 1, 1, 1);
  assert_string_equal(p.name, "name");
  assert_int_equal(p.repeats, 3);
  p = parse("ic3ih227oc96kh11sh4"); /* no output, no padding: none, 55 x 55 */
  assert_int_equal(p.desc.n, BENCH_DEFAULT_BATCH);
  CHECK_AXIS(&p.desc, 1, 227, 11, 4, 1, 0, 0);
  p = parse("ic3ih224oc64oh112kh7sh2"); /* padding deduced: 5 zeros, the odd one at the end */
  CHECK_AXIS(&p.desc, 0, 224, 7, 2, 1, 2, 3);
  p = parse("ic3ih224oc64oh112kh7sh2ph3"); /* written: the same on both ends, since that gives 112 too */
  CHECK_AXIS(&p.desc, 0, 224, 7, 2, 1, 3, 3);
  p = parse("ic256ih56oc128oh28kh1sh2"); /* stride does not divide: nothing needed, nothing given */
  CHECK_AXIS(&p.desc, 0, 56, 1, 2, 1, 0, 0);
  p = parse("ic64iw16000oc64ow16000kw2dw7pw8"); /* one axis; causal: all zeros in front */
  assert_int_equal(p.desc.rank, 1);
  CHECK_AXIS(&p.desc, 0, 16000, 2, 1, 8, 8, 0);
  p = parse("ic3id16oc4kd3pd1"); /* id alone: a cube */
  assert_int_equal(p.desc.rank, 3);
  CHECK_AXIS(&p.desc, 2, 16, 3, 1, 1, 1, 1);
  p = parse("ic3id16ih112oc64kd3kh5pd1ph2"); /* w is a copy of h, not of d */
  CHECK_AXIS(&p.desc, 0, 16, 3, 1, 1, 1, 1);
  CHECK_AXIS(&p.desc, 2, 112, 5, 1, 1, 2, 2);
  p = parse("ic3ih8iw9oc4kh3kw2ph1"); /* w has fields of its own: its padding is not h's */
  CHECK_AXIS(&p.desc, 1, 9, 2, 1, 1, 0, 0);
  assert_string_equal(parse("ic3ih8oc4kh1nplain").name, "plain");
  assert_string_equal(parse("ic3ih8oc4kh1n\"a/b:c d\"").name, "a:b:c d");
  assert_string_equal(parse("ic3ih8oc4kh1").name, "mb8ic3ih8oc4oh8kh1ph0");
}

static void errors_point_at_the_column(void **state)
{
  (void)state;
  static const struct {
    const char *text;
    size_t column;
    const char *says;
  } cases[] = {
      {"ic3ih8oc4kh3zz7", 13, "unknown field \"zz\""},
      {"ic3ih8oc4kh", 12, "kh needs a number"},
      {"ic3ih8oc4kh-1", 12, "kh needs a number"},
      {"ic3ih8oc4kh0", 12, "kh is 0; it must be at least 1"},
      {"ic3ih8ic4kh3", 7, "ic is given twice"},
      {"ic99999999999ih8oc4kh3", 3, "ic is more than 1000000000"},
      {"ih8oc4kh3", 10, "ic is missing"},
      {"ic3ih8kh3", 10, "oc is missing"},
      {"ic3oc4kh3", 10, "ih is missing"},
      {"ic3ih8oc4", 10, "kh is missing"},
      {"ic3ih8oc4kh9", 10, "the filter spans 9, more than the padded input's 8"},
      {"ic3ih8oc4kh3dh9", 10, "the filter spans 21, more than the padded input's 8"},
      {"ic3ih8oc4oh2kh3ph1", 10, "oh is 2, but the input, filter, stride and padding give 7"},
      {"g2ic3ih8oc4kh3", 1, "g is 2; it must divide ic and oc"},
      {"ic3ih8oc4kh3n\"open", 14, "closing quote"},
      {"ic3ih8oc4kh3n\"a\"x", 17, "nothing may follow the name"},
      {"ic3ih8oc4kh3n\"\"", 13, "the name is empty"},
      {"ic3ih8oc4kh3n\"a*0\"", 17, "the repeat count must be"},
      {"--dir=FWD_B", 1, "unknown field \"-\""},
      {"mb1000000000ic1000000000ih1000000000oc1kh1", 1, ""},
      {"", 1, "ic is missing"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    bench_problem problem;
    bench_parse_error error = {0};
    harness_doing("%s", cases[i].text);
    assert_false(bench_descriptor_parse(cases[i].text, strlen(cases[i].text), &problem, &error));
    if (error.column != cases[i].column || !strstr(error.text, cases[i].says))
      FAIL("%s: column %zu: %s", cases[i].text, error.column, error.text);
  }
}

/* What is printed reads back as the same descriptor, for every built-in layer and for odd ones. */
static void assert_round_trip(const cnnblas_conv_desc *desc)
{
  char text[192];
  bench_descriptor_format(desc, text, sizeof text);
  bench_problem again = parse(text);
  harness_doing("%s", text);
  assert_memory_equal(&again.desc, desc, sizeof *desc);
}

static void printing_reads_back(void **state)
{
  (void)state;
  bench_problem_list list = {0};
  for (const bench_set *set = bench_sets; set->name; set++) assert_int_equal(bench_set_load(&list, set->name), 0);
  assert_true(list.count > 140);
  for (size_t i = 0; i < list.count; i++) assert_round_trip(&list.items[i].desc);
  bench_problem_list_free(&list);
  static const char *const odd[] = {"ic3ih8iw9oc4kh3kw2ph1",        "g3ic3id4ih5iw6oc6kd1kh2kw3sd1sh2sw3dd0dh1dw0",
                                    "ic1iw7oc1kw3sw2pw1",           "ic3ih224oc64oh112kh7sh2",
                                    "ic3id16ih112oc64kd3kh5pd1ph2", "mb1ic5ih9oc5oh9kh2"};
  for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
    bench_problem p = parse(odd[i]);
    assert_round_trip(&p.desc);
  }
}

typedef struct bad_lines {
  size_t count, line[8], column[8];
} bad_lines;

static void note_bad_line(void *context, size_t line, const bench_parse_error *error)
{
  bad_lines *bad = context;
  if (bad->count < 8) {
    bad->line[bad->count] = line;
    bad->column[bad->count] = error->column;
  }
  bad->count++;
}

static void files(void **state)
{
  (void)state;
  static const char text[] = "# a comment\n"
                             "ic3ih8oc4kh3n\"one # not a comment\"  # but this\n"
                             "  ic3ih8oc4kh\n"
                             "\n"
                             "ic3ih9oc4kh3 ic3ih10oc4kq3 ic3ih11oc4kh3\r\n"
                             "ic3ih12oc4kh3";
  bench_problem_list list = {0};
  bad_lines bad = {0};
  assert_int_equal(bench_problems_read(&list, "file", text, sizeof text - 1, note_bad_line, &bad), 2);
  assert_int_equal(list.count, 4);
  assert_string_equal(list.items[0].name, "one # not a comment");
  assert_string_equal(list.items[0].set, "file");
  assert_int_equal(list.items[3].desc.size[0], 12);
  assert_int_equal(bad.line[0], 3);
  assert_int_equal(bad.column[0], 14); /* within the line, its two spaces counted */
  assert_int_equal(bad.line[1], 5);
  assert_int_equal(bad.column[1], 24);
  bench_problem_list_free(&list);
}

static void thousands_of_lines(void **state)
{
  (void)state;
  enum { LINES = 5000 };
  char *text = malloc((size_t)LINES * 40);
  size_t length = 0;
  for (int i = 0; i < LINES; i++)
    length += (size_t)sprintf(text + length, i % 1000 == 7 ? "ic3ih8oc%dkh9\n" : "ic3ih8oc%dkh3n\"l%d\"\n", i + 1, i);
  bench_problem_list list = {0};
  bad_lines bad = {0};
  assert_int_equal(bench_problems_read(&list, "many", text, length, note_bad_line, &bad), 5);
  assert_int_equal(list.count, LINES - 5);
  assert_int_equal(list.items[LINES - 6].desc.k, LINES);
  assert_int_equal(bad.line[4], 4008);
  bench_problem_list_free(&list);
  free(text);
}

/* Random bytes and random cuts of a good text never do more than fail. */
static void noise(void **state)
{
  (void)state;
  static const char letters[] = "gmbicdhwokspn0123456789_\"*# \n-";
  unsigned seed = 20;
  printf("seed %u\n", seed);
  srand(seed);
  size_t parsed = 0;
  for (int i = 0; i < 20000; i++) {
    char text[64];
    int length = snprintf(text, sizeof text, "mb8_ic3ih8_oc4oh8_kh3sh1ph1dh0n\"a*2\"");
    for (int edits = rand() % 4; edits > 0; edits--)
      text[rand() % length] = letters[(size_t)rand() % (sizeof letters - 1)];
    bench_problem problem;
    bench_parse_error error;
    size_t cut = (size_t)(length - rand() % 3);
    parsed += bench_descriptor_parse(text, cut, &problem, &error);
    if (parsed) assert_true(problem.repeats >= 1);
  }
  assert_true(parsed > 1000 && parsed < 20000);
}

static void sweeps(void **state)
{
  (void)state;
  const char *variable;
  char why[160];
  bench_problem_list list = {0};
  bench_problem p = parse("g8ic8ih5oc8kh3n\"dw\"");
  bench_problem_list_add(&list, &p);
  assert_int_equal(bench_sweep_expand(&list, "channels=1..12", &variable, why, sizeof why), BENCH_SWEEP_OK);
  assert_string_equal(variable, "channels");
  assert_int_equal(list.count, 5); /* 1 2 4 8 12 */
  assert_int_equal(list.items[4].desc.groups, 12);
  assert_int_equal(list.items[4].desc.c, 12);
  assert_string_equal(list.items[4].name, "dw@channels=12");
  assert_int_equal(bench_sweep_expand(&list, "size=1,2,3,9", &variable, why, sizeof why), BENCH_SWEEP_OK);
  assert_int_equal(list.count, 10); /* the filter does not fit on 1 and 2 */
  for (size_t i = 0; i < list.count; i++) {
    assert_int_equal(list.items[i].sweeps, 2);
    assert_int_equal(list.items[i].sweep_origin, 0);
    assert_true(list.items[i].sweep_values[0] == (double)list.items[i].desc.c);
    assert_true(list.items[i].sweep_values[1] == (double)list.items[i].desc.size[0]);
  }
  assert_string_equal(list.items[9].name, "dw@channels=12@size=9");
  static const char *const bad[] = {"batch",     "speed=1..2", "batch=",        "batch=0..4", "batch=4..1",
                                    "batch=1..", "batch=1,,2", "batch=1..2..3", "batch=x"};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    harness_doing("%s", bad[i]);
    assert_int_equal(bench_sweep_expand(&list, bad[i], &variable, why, sizeof why), BENCH_SWEEP_SYNTAX);
    assert_int_equal(list.count, 10);
  }
  bench_problem_list_free(&list);
  const double values[] = {1, 2, 4, 8}, cubes[] = {5, 40, 320, 2560};
  assert_true(fabs(bench_growth_exponent(values, cubes, 4) - 3) < 1e-12);
  assert_true(isnan(bench_growth_exponent(values, cubes, 1)));
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_field),
      cmocka_unit_test(elisions),
      cmocka_unit_test(errors_point_at_the_column),
      cmocka_unit_test(printing_reads_back),
      cmocka_unit_test(files),
      cmocka_unit_test(thousands_of_lines),
      cmocka_unit_test(noise),
      cmocka_unit_test(sweeps),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
