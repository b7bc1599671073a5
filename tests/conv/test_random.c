/*
 * Random problems, every algorithm that applies, every direction, against the definition: exactly on small integers and
 * within the bound on reals; with random thread counts, workspaces, epilogues and accumulation.
 *
 * To see one problem again: CNNBLAS_TEST_SEED=S test_random --only I [--count N] [--verbose]
 */
#include "support/rig.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_ALGORITHMS = 32 };

static int64_t count = 2400, only = -1;
static bool verbose, brief;                        /* brief: without the tails, and a count of zero is no failure */
static long calls[MAX_ALGORITHMS + 1][DIRECTIONS]; /* the last row: auto */

static bool does(const cnnblas_algorithm_info *row, cnnblas_conv_direction direction)
{
  return row->directions >> direction & 1;
}

/* What a row's scope promises; a row that promises nothing may refuse what it likes, but not everything. */
static bool must_apply(const char *algorithm, const problem *p, cnnblas_conv_direction direction)
{
  const cnnblas_algorithm_info row = algorithm_info(algorithm);
  bool stride_1 = true, pointwise = true, near = true;
  for (int i = 0; i < 3; i++) {
    stride_1 &= p->stride[i] == 1;
    near &= p->stride[i] <= 4096 && p->dilation[i] <= 4096;
    pointwise &= p->taps[i] == 1 && p->stride[i] == 1 && p->begin[i] == 0 && p->out[i] == p->in[i];
  }
  if (!does(&row, direction) || row.by_batch || row.orientation[0]) return false; /* these ask for workspace */
  return row.scope == CNNBLAS_SCOPE_EVERY || (row.scope == CNNBLAS_SCOPE_POINTWISE && pointwise) ||
         (row.scope == CNNBLAS_SCOPE_DEPTHWISE && p->cg == 1 && near) ||
         (row.scope == CNNBLAS_SCOPE_STRIDE_1 && stride_1);
}

typedef struct {
  rig arrays;
  oracle want, want_db;
  char text[PROBLEM_TEXT];
  int64_t item;
  uint64_t seed;
} session;

static void run_direction(session *s, const problem *p, cnnblas_conv_direction direction, variant *v, bool integers)
{
  const bool packed = v->packed; /* for those that take them */
  bool far = false;              /* only the plain algorithms promise to apply there */
  for (int i = 0; i < 3; i++) far |= p->desc.pad_begin[i] + p->desc.pad_end[i] > 1000;
  rig_expect(&s->arrays, p, direction, p->n, v, &s->want, &s->want_db);
  for (int i = 0; i <= algorithm_count(); i++) {
    char how[VARIANT_TEXT];
    v->algorithm = cnnblas_conv_algorithm_name(i); /* past the end: NULL, the automatic choice */
    v->packed = packed && !far && (!v->algorithm || algorithm_info(v->algorithm).packed_weights);
    variant_text(v, how);
    harness_doing("%s | %s | %s | %s | CNNBLAS_TEST_SEED=%llu test_random --only %lld", s->text,
                  cnnblas_conv_direction_name(direction), how, integers ? "integers" : "reals",
                  (unsigned long long)s->seed, (long long)s->item);
    if (verbose) printf("%s\n", harness_line());
    if (!rig_run(&s->arrays, p, direction, p->n, v)) {
      if (must_apply(v->algorithm, p, direction)) FAIL("%s refuses it: %s", v->algorithm, cnnblas_last_error());
      continue;
    }
    rig_check(&s->arrays, v, &s->want, &s->want_db, integers, "output");
    calls[v->algorithm ? i : MAX_ALGORITHMS][direction]++;
  }
}

static void run_problem(session *s, const problem *p, rng *r)
{
  problem_text(p, s->text);
  for (int kind = 0; kind < 2; kind++) {
    variant v[DIRECTIONS];
    for (int d = 0; d < DIRECTIONS; d++) variant_random(&v[d], (cnnblas_conv_direction)d, r);
    rig_fill(&s->arrays, p, r, kind == 0, v[0].where);
    for (int d = 0; d < DIRECTIONS; d++) run_direction(s, p, (cnnblas_conv_direction)d, &v[d], kind == 0);
  }
}

static void close_session(session *s)
{
  rig_free(&s->arrays);
  oracle_free(&s->want);
  oracle_free(&s->want_db);
}

static void test_random_problems(void **state)
{
  (void)state;
  session s = {.seed = rng_seed(20240607)};
  for (s.item = only < 0 ? 0 : only; s.item < (only < 0 ? count : only + 1); s.item++) {
    problem p;
    rng r = rng_at(s.seed, (uint64_t)s.item);
    problem_random(&p, &r, rng_chance(&r, 15) ? 5e5 : 6e4); /* work enough for several threads, now and then */
    run_problem(&s, &p, &r);
  }
  close_session(&s);
}

/* Every extent from 1 to 17 in each place where a tail may be: width, channels, filters, images. */
static void test_tails(void **state)
{
  (void)state;
  if (only >= 0 || brief) skip();
  session s = {.seed = rng_seed(17), .item = -1};
  for (int64_t t = 1; t <= 17; t++)
    for (int place = 0; place < 5; place++)
      for (int64_t kernel = 1; kernel <= 3; kernel += 2) {
        problem p = {.desc = {.n = 1, .c = 5, .k = 6, .size = {6, 9}, .kernel = {kernel, kernel}}};
        cnnblas_conv_desc *d = &p.desc;
        for (int i = 0; i < 2; i++) d->pad_begin[i] = d->pad_end[i] = kernel / 2;
        int64_t *const places[] = {&d->size[1], &d->c, &d->k, &d->n, &d->groups};
        *places[place] = t;
        if (place == 4) d->c = t, d->k = 2 * t;
        problem_finish(&p);
        rng r = rng_at(s.seed, (uint64_t)(100 * t + 10 * place + kernel));
        run_problem(&s, &p, &r);
      }
  close_session(&s);
}

/* So many channels a group of one that a weight gradient has several tasks, and a prime number of them: the last is shorter. */
static void test_prime_channels(void **state)
{
  (void)state;
  if (only >= 0 || brief) skip();
  session s = {.seed = rng_seed(67), .item = -1};
  for (int64_t multiplier = 1; multiplier <= 3; multiplier += 2) {
    problem p = {.desc = {.n = 1, .c = 67, .k = 67 * multiplier, .groups = 67, .size = {16, 16}, .kernel = {3, 3}}};
    for (int i = 0; i < 2; i++) p.desc.pad_begin[i] = p.desc.pad_end[i] = 1;
    problem_finish(&p);
    rng r = rng_at(s.seed, (uint64_t)multiplier);
    run_problem(&s, &p, &r);
  }
  close_session(&s);
}

static void test_no_count_is_zero(void **state)
{
  (void)state;
  long zero = 0;
  printf("%-20s %10s %15s %18s\n", "calls checked", cnnblas_conv_direction_name((cnnblas_conv_direction)0),
         cnnblas_conv_direction_name((cnnblas_conv_direction)1),
         cnnblas_conv_direction_name((cnnblas_conv_direction)2));
  for (int i = 0; i <= algorithm_count(); i++) {
    const char *name = cnnblas_conv_algorithm_name(i);
    const long *row = calls[name ? i : MAX_ALGORITHMS];
    const cnnblas_algorithm_info info = algorithm_info(name);
    printf("%-20s %10ld %15ld %18ld\n", name ? name : "auto", row[0], row[1], row[2]);
    for (int d = 0; d < DIRECTIONS; d++) zero += row[d] == 0 && does(&info, (cnnblas_conv_direction)d);
  }
  if (only < 0 && !brief) assert_int_equal(zero, 0);
}

int main(int argc, char **argv)
{
  for (int i = 1; i < argc; i++) {
    if (strcmp(argv[i], "--only") == 0 && i + 1 < argc)
      only = atoll(argv[++i]);
    else if (strcmp(argv[i], "--count") == 0 && i + 1 < argc)
      count = atoll(argv[++i]);
    else if (strcmp(argv[i], "--verbose") == 0)
      verbose = true;
    else if (strcmp(argv[i], "--short") == 0)
      brief = true;
    else
      return fprintf(stderr, "usage: test_random [--only I] [--count N] [--verbose] [--short]\n"), 2;
  }
  harness_skip_without_isa();
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_random_problems),
      cmocka_unit_test(test_tails),
      cmocka_unit_test(test_prime_channels),
      cmocka_unit_test(test_no_count_is_zero),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
