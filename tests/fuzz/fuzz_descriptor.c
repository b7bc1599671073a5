/* benchdnn's descriptors, one and a file of them: what parses is valid, and is the same after printing and parsing. */
#include "descriptor.h"
#include "fuzz.h"
#include <string.h>

static void ignore(void *context, size_t line, const bench_parse_error *error)
{
  (void)context;
  CHECK(line > 0 && error->column > 0 && strlen(error->text) > 0, "line %zu column %zu", line, error->column);
}

static void again(const bench_problem *problem)
{
  char text[512];
  bench_problem twin;
  bench_parse_error error = {0};
  memset(&twin, 0, sizeof twin);
  bench_descriptor_format(&problem->desc, text, sizeof text);
  CHECK(bench_descriptor_parse(text, strlen(text), &twin, &error), "%s: %s", text, error.text);
  cnnblas_conv_shape a, b;
  cnnblas_status first = cnnblas_conv_get_shape(&problem->desc, &a), second = cnnblas_conv_get_shape(&twin.desc, &b);
  CHECK(first == second, "%s: %d, then %d", text, (int)first, (int)second);
  CHECK(first != CNNBLAS_INVALID_ARGUMENT, "%s: %s", text, cnnblas_last_error());
  if (first) return;
  CHECK(!memcmp(a.out, b.out, sizeof a.out) && a.x_elements == b.x_elements && a.w_elements == b.w_elements &&
            a.y_elements == b.y_elements,
        "%s is another problem", text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  bench_problem problem;
  bench_parse_error error = {0};
  bench_problem_list list = {0};
  memset(&problem, 0, sizeof problem);
  if (bench_descriptor_parse((const char *)data, size, &problem, &error)) again(&problem);
  bench_problems_read(&list, "fuzz", (const char *)data, size, ignore, NULL);
  bench_problem_list_free(&list);
  return 0;
}
