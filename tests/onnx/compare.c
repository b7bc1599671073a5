/* Comparing a model's outputs with arrays that were saved; see compare.h. */
#include "compare.h"
#include "array_elements.h"
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static bool same_shape(const cnnblas_onnx_array *a, const cnnblas_onnx_array *b)
{
  return a->type == b->type && a->rank == b->rank && !memcmp(a->size, b->size, sizeof a->size);
}

bool compare_arrays(const cnnblas_onnx_array *got, const cnnblas_onnx_array *wanted, double rtol, double atol,
                    char *why, size_t size)
{
  bool real = wanted->type == CNNBLAS_ONNX_F32 || wanted->type == CNNBLAS_ONNX_F64;
  if (!same_shape(got, wanted)) {
    snprintf(why, size, "%s of rank %d; wanted %s of rank %d", cnnblas_onnx_type_name(got->type), got->rank,
             cnnblas_onnx_type_name(wanted->type), wanted->rank);
    for (int i = 0; i < got->rank; i++)
      snprintf(why + strlen(why), size - strlen(why), " %lld", (long long)got->size[i]);
    for (int i = 0; i < wanted->rank; i++)
      snprintf(why + strlen(why), size - strlen(why), " (%lld)", (long long)wanted->size[i]);
    return false;
  }
  for (int64_t i = 0; i < array_elements(wanted); i++) {
    double a = array_at(got, i), b = array_at(wanted, i);
    if (a == b || (isnan(a) && isnan(b)) || (real && fabs(a - b) <= atol + rtol * fabs(b))) continue;
    snprintf(why, size, "element %lld is %.9g; wanted %.9g", (long long)i, a, b);
    return false;
  }
  return true;
}

double compare_largest(const cnnblas_onnx_array *got, const cnnblas_onnx_array *wanted)
{
  double largest = 0, difference = 0;
  if (!same_shape(got, wanted)) return HUGE_VAL;
  for (int64_t i = 0; i < array_elements(wanted); i++) {
    double a = array_at(got, i), b = array_at(wanted, i);
    if (isnan(a) != isnan(b)) return HUGE_VAL;
    if (fabs(b) > largest) largest = fabs(b);
    if (fabs(a - b) > difference) difference = fabs(a - b);
  }
  return difference / (largest > 0 ? largest : 1);
}

enum { MOST = 64 /* inputs or outputs of a model */ };

/* Arrays FOLDER/KIND_0.pb and on; how many there are, -1 if one cannot be read. */
static int load_all(const char *folder, const char *kind, cnnblas_onnx_array *arrays, char *why, size_t size)
{
  int count = 0;
  for (; count < MOST; count++) {
    char path[512];
    snprintf(path, sizeof path, "%s/%s_%d.pb", folder, kind, count);
    if (access(path, F_OK)) break;
    if (!cnnblas_onnx_array_load(path, &arrays[count])) continue;
    snprintf(why, size, "%s", cnnblas_last_error());
    while (count) cnnblas_onnx_array_free(&arrays[--count]);
    return -1;
  }
  return count;
}

bool compare_folder(cnnblas_onnx *model, const char *folder, compare_judge judge, char *why, size_t size)
{
  cnnblas_onnx_array inputs[MOST] = {{0}}, wanted[MOST] = {{0}}, outputs[MOST] = {{0}};
  int input_count = load_all(folder, "input", inputs, why, size);
  if (input_count < 0) return false;
  int output_count = load_all(folder, "output", wanted, why, size);
  bool fine = output_count > 0;
  if (!output_count) snprintf(why, size, "no outputs to compare with");
  for (int i = 0; i < input_count; i++) {
    cnnblas_onnx_array declared;
    if (cnnblas_onnx_get_input(model, i, &declared)) break;
    inputs[i].name = declared.name; /* in their order, whatever the files say */
  }
  if (fine && cnnblas_onnx_run(model, inputs, input_count, outputs, output_count)) {
    snprintf(why, size, "%s", cnnblas_last_error());
    fine = false;
  }
  for (int i = 0; i < output_count && fine; i++) {
    size_t used = (size_t)snprintf(why, size, "output %d: ", i);
    fine = judge(&outputs[i], &wanted[i], why + used, size - used);
  }
  for (int i = 0; i < input_count; i++) cnnblas_onnx_array_free(&inputs[i]);
  for (int i = 0; i < output_count; i++) cnnblas_onnx_array_free(&wanted[i]);
  return fine;
}
