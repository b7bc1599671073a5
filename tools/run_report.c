/* What `cnnblas run` prints: largest elements, errors of a check, times. */
#include "io/file.h"
#include "io/system.h"
#include "run_parts.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- the largest elements ---- */

/* Line i of a text; its length is *length. */
static const char *line_of(const io_buffer *text, int64_t i, int *length)
{
  const char *at = (const char *)text->bytes, *end = at + text->count, *feed;
  for (; i > 0 && at < end; i--) {
    feed = memchr(at, '\n', (size_t)(end - at));
    at = feed ? feed + 1 : end;
  }
  feed = at < end ? memchr(at, '\n', (size_t)(end - at)) : NULL;
  *length = (int)((feed ? feed : end) - at);
  return at;
}

int run_print_top(const cnnblas_onnx_array *a, int64_t top, const char *labels)
{
  io_buffer text = {0};
  io_error error;
  int status = labels ? (int)io_read_file(labels, (size_t)1 << 24, &text, &error) : COMMAND_FINE;
  if (status) return command_fail(status, "%s", error.text);
  int64_t count = a->rank ? a->size[a->rank - 1] : 1;
  if (!array_elements(a)) count = 0;
  bool *told = io_alloc_zeroed((size_t)count + 1, 1);
  if (!told) status = command_fail(COMMAND_NO_ROOM, "out of memory for %lld classes", (long long)count);
  for (int64_t k = 0; k < top && k < count && !status; k++) {
    int64_t best = -1;
    for (int64_t i = 0; i < count; i++)
      if (!told[i] && (best < 0 || array_at(a, i) > array_at(a, best))) best = i;
    told[best] = true;
    int length = 0;
    const char *name = labels ? line_of(&text, best, &length) : "";
    printf("%10.6g  %6lld  %.*s\n", array_at(a, best), (long long)best, length, name ? name : "");
  }
  io_free(told);
  io_buffer_free(&text);
  return status;
}

/* ---- the check ---- */

/* Prints the largest errors of one output; whether they are allowed. */
static bool judge(const run_options *o, const char *name, const cnnblas_onnx_array *got,
                  const cnnblas_onnx_array *wanted)
{
  double absolute = 0, relative = 0;
  bool fine =
      got->type == wanted->type && got->rank == wanted->rank && !memcmp(got->size, wanted->size, sizeof got->size);
  if (!fine) {
    printf("%-24s another type or shape than wanted\n", name);
    return false;
  }
  for (int64_t i = 0; i < array_elements(wanted); i++) {
    double a = array_at(got, i), b = array_at(wanted, i), difference = fabs(a - b);
    if (a == b || (isnan(a) && isnan(b))) continue;
    if (!(difference <= o->atol + o->rtol * fabs(b))) fine = false;
    if (!(difference <= absolute)) absolute = difference;
    if (b != 0 && !(difference / fabs(b) <= relative)) relative = difference / fabs(b);
  }
  printf("%-24s largest error %.3g absolute, %.3g relative: %s\n", name, absolute, relative,
         fine ? "fine" : "too much");
  return fine;
}

/* Reads DIR/KIND_I.pb for I from 0 on; -1 if one cannot be read. */
static int load_all(const char *folder, const char *kind, cnnblas_onnx_array *arrays)
{
  int count = 0;
  for (; count < RUN_MOST; count++) {
    char path[4096];
    snprintf(path, sizeof path, "%s/%s_%d.pb", folder, kind, count);
    if (access(path, F_OK)) break;
    if (cnnblas_onnx_array_load(path, &arrays[count])) return -1;
  }
  return count;
}

int run_check(cnnblas_onnx *model, const run_options *o)
{
  cnnblas_onnx_array inputs[RUN_MOST] = {{0}}, wanted[RUN_MOST] = {{0}}, outputs[RUN_MOST] = {{0}}, declared;
  int input_count = load_all(o->check, "input", inputs), output_count = load_all(o->check, "output", wanted);
  int status = COMMAND_FINE;
  if (input_count < 0 || output_count < 0)
    status = command_fail(COMMAND_BAD_INPUT, "%s", cnnblas_last_error());
  else if (!output_count)
    status = command_fail(COMMAND_BAD_INPUT, "%s: no output_0.pb", o->check);
  for (int i = 0; i < input_count; i++)
    inputs[i].name = cnnblas_onnx_get_input(model, i, &declared) ? NULL : declared.name;
  cnnblas_status why = status ? CNNBLAS_OK : cnnblas_onnx_run(model, inputs, input_count, outputs, output_count);
  if (why) status = command_fail_library(why, COMMAND_BAD_INPUT, o->check);
  for (int i = 0; i < output_count && !why && (!status || status == COMMAND_CHECK_FAILED); i++) {
    const char *name = cnnblas_onnx_get_output(model, i, &declared) ? "" : declared.name;
    if (!judge(o, name, &outputs[i], &wanted[i])) status = COMMAND_CHECK_FAILED;
  }
  for (int i = 0; i < RUN_MOST; i++) {
    cnnblas_onnx_array_free(&inputs[i]);
    cnnblas_onnx_array_free(&wanted[i]);
  }
  return status;
}

/* ---- times ---- */

static int ascending(const void *a, const void *b)
{
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static void print_nodes(const cnnblas_onnx *model, int64_t runs)
{
  cnnblas_onnx_node node;
  double all = 0;
  for (int64_t i = 0; !cnnblas_onnx_get_node(model, i, &node); i++) all += node.seconds;
  printf("%8s %6s  %-20s %-24s %-28s %s\n", "ms", "share", "operator", "name", "algorithm", "and");
  for (int64_t i = 0; !cnnblas_onnx_get_node(model, i, &node); i++)
    printf("%8.3f %5.1f%%  %-20s %-24.24s %-28s %s%s\n", 1e3 * node.seconds / (double)runs,
           all > 0 ? 100 * node.seconds / all : 0, node.op, node.name, node.algorithm, node.fused,
           node.packed ? " (packed)" : "");
}

void run_print_times(const cnnblas_onnx *model, double *seconds, int64_t count, bool nodes)
{
  double sum = 0;
  for (int64_t i = 0; i < count; i++) sum += seconds[i];
  qsort(seconds, (size_t)count, sizeof *seconds, ascending);
  printf("%lld runs: p50 %.3f ms, p99 %.3f ms, %.1f runs/s\n", (long long)count, 1e3 * seconds[count / 2],
         1e3 * seconds[count * 99 / 100], (double)count / sum);
  if (nodes) print_nodes(model, count);
}
