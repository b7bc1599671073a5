/*
 * A soak: random problems, plans made, executed and destroyed, for as long as is asked for (--seconds N, 600 if not
 * said). The memory in use, the resident pages and the open descriptors of the second quarter and of the last one are
 * compared: what leaks a little a call grows by far more than the few pages allowed.
 */
#include "support/harness.h"
#include "support/problem.h"
#include <dirent.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { QUARTERS = 4, CALLS_A_LOOK = 100 };
static const long allowed_heap = 64 << 10, allowed_pages = 4 << 20; /* bytes; malloc's own caches breathe */
static double seconds = 600;

/* The least that was seen in a quarter of the time. */
typedef struct {
  long heap, resident, descriptors, looks;
} level;

static double now(void)
{
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static long resident_bytes(void)
{
  long all = 0, resident = 0;
  FILE *file = fopen("/proc/self/statm", "r");
  assert_non_null(file);
  assert_int_equal(fscanf(file, "%ld %ld", &all, &resident), 2);
  fclose(file);
  return resident * sysconf(_SC_PAGESIZE);
}

static long open_descriptors(void)
{
  long count = 0;
  DIR *directory = opendir("/proc/self/fd");
  assert_non_null(directory);
  while (readdir(directory)) count++;
  closedir(directory);
  return count;
}

static long least(long a, long b, long looks)
{
  return looks == 0 || b < a ? b : a;
}

static void look(level *l)
{
  struct mallinfo2 heap = mallinfo2();
  malloc_trim(0); /* freed memory that the heap keeps in pieces is not what grows */
  l->heap = least(l->heap, (long)(heap.uordblks + heap.hblkhd), l->looks);
  l->resident = least(l->resident, resident_bytes(), l->looks);
  l->descriptors = least(l->descriptors, open_descriptors(), l->looks);
  l->looks++;
}

static void one_call(rng *r)
{
  problem p;
  problem_random(&p, r, 2e5);
  const cnnblas_conv_direction direction = (cnnblas_conv_direction)rng_range(r, 0, DIRECTIONS - 1);
  const cnnblas_conv_options options = {.algorithm =
                                            cnnblas_conv_algorithm_name((int32_t)rng_range(r, 0, algorithm_count())),
                                        .threads = (int32_t)rng_range(r, 0, 4),
                                        .effort = rng_chance(r, 5) ? CNNBLAS_MEASURE : CNNBLAS_ESTIMATE};
  cnnblas_conv_plan *plan = NULL;
  cnnblas_status status = cnnblas_conv_plan_create(&p.desc, direction, &options, &plan);
  if (status == CNNBLAS_UNSUPPORTED) return;
  ASSERT_OK(status);
  void *x = calloc((size_t)p.x_elements + 1, p.element), *w = calloc((size_t)p.w_elements + 1, p.element);
  void *y = calloc((size_t)p.y_elements + 1, p.element);
  assert_true(x && w && y);
  if (direction == CNNBLAS_FORWARD)
    ASSERT_OK(cnnblas_conv_forward(plan, p.n, x, w, NULL, y, NULL, 0));
  else if (direction == CNNBLAS_BACKWARD_DATA)
    ASSERT_OK(cnnblas_conv_backward_data(plan, p.n, y, w, x, NULL, 0));
  else
    ASSERT_OK(cnnblas_conv_backward_weights(plan, p.n, x, y, w, NULL, NULL, 0));
  free(x);
  free(w);
  free(y);
  cnnblas_conv_plan_destroy(plan);
}

static void nothing_grows(void **state)
{
  (void)state;
  level levels[QUARTERS];
  memset(levels, 0, sizeof levels);
  const uint64_t seed = rng_seed(99);
  const double start = now();
  long calls = 0;
  for (int q = 0; q < QUARTERS; q++) do {
      for (int i = 0; i < CALLS_A_LOOK; i++) {
        rng r = rng_at(seed, (uint64_t)calls++);
        one_call(&r);
      }
      look(&levels[q]); /* once at least, however slow the machine */
    } while (now() - start < seconds * (q + 1) / QUARTERS);
  printf("%ld calls in %.0f s\n%-8s %10s %12s %12s\n", calls, seconds, "quarter", "heap KiB", "resident KiB",
         "descriptors");
  for (int q = 0; q < QUARTERS; q++)
    printf("%-8d %10ld %12ld %12ld\n", q + 1, levels[q].heap >> 10, levels[q].resident >> 10, levels[q].descriptors);
  const level *early = &levels[1], *late = &levels[QUARTERS - 1];
  assert_true(late->heap - early->heap <= allowed_heap);
  assert_true(late->resident - early->resident <= allowed_pages);
  assert_int_equal(late->descriptors, early->descriptors);
}

int main(int argc, char **argv)
{
  if (argc == 3 && strcmp(argv[1], "--seconds") == 0) seconds = atof(argv[2]);
  const struct CMUnitTest tests[] = {cmocka_unit_test(nothing_grows)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
