/* Looking into the library's table; see algorithm_names.h. */
#include "algorithm_names.h"
#include <string.h>

/* The name in the table's storage of the row or family that the first `length` characters of name are, or NULL. */
static const char *find(const char *name, size_t length, bool packed)
{
  cnnblas_algorithm_info row;
  for (int32_t i = 0; cnnblas_conv_algorithm_info(i, &row) == CNNBLAS_OK; i++) {
    if (packed && !row.packed_weights) continue;
    if (strlen(row.name) == length && memcmp(row.name, name, length) == 0) return row.name;
    if (strlen(row.family) == length && memcmp(row.family, name, length) == 0) return row.family;
  }
  return strlen(BENCH_AUTO) == length && memcmp(BENCH_AUTO, name, length) == 0 ? BENCH_AUTO : NULL;
}

/* Characters in front of the suffix, or 0. */
static size_t before_suffix(const char *name)
{
  const size_t suffix = strlen(BENCH_SUFFIX), length = strlen(name);
  if (length <= suffix || strcmp(name + length - suffix, BENCH_SUFFIX) != 0) return 0;
  return length - suffix;
}

bool bench_is_algorithm(const char *name)
{
  const size_t front = before_suffix(name);
  return find(name, strlen(name), false) || (front && find(name, front, true));
}

const char *bench_algorithm_asked(const char *name, bool *packed)
{
  const size_t front = before_suffix(name);
  const char *asked = front ? find(name, front, true) : NULL;
  *packed = asked != NULL;
  return asked ? asked : name;
}

bool bench_row_named(const char *name, cnnblas_algorithm_info *row)
{
  for (int32_t i = 0; cnnblas_conv_algorithm_info(i, row) == CNNBLAS_OK; i++)
    if (strcmp(row->name, name) == 0) return true;
  memset(row, 0, sizeof *row);
  return false;
}

static const char *of_accuracy(cnnblas_accuracy accuracy)
{
  cnnblas_algorithm_info row;
  for (int32_t i = 0; cnnblas_conv_algorithm_info(i, &row) == CNNBLAS_OK; i++)
    if (row.accuracy == accuracy && row.by_name_only) return row.name;
  return ""; /* which the library refuses by name */
}

const char *bench_naive_name(void)
{
  return of_accuracy(CNNBLAS_ACCURACY_CHAIN);
}

const char *bench_reference_name(void)
{
  return of_accuracy(CNNBLAS_ACCURACY_WIDE);
}
