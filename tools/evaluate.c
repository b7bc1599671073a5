/* What a network makes of labelled images; see evaluate.h. */
#include "evaluate.h"
#include "command.h"
#include "io/system.h"
#include "progress.h"
#include <math.h>
#include <string.h>

int evaluate_images(cnnblas_net *net, const image_set *images, batches *room, const char *name,
                    cnnblas_net_result *result, double *seconds)
{
  double begin = progress_now();
  int status = COMMAND_FINE;
  memset(result, 0, sizeof *result);
  batches_begin(room, images, 0, NULL);
  for (const batch *b; !status && (b = batches_next(room));) {
    cnnblas_net_result part;
    if (b->status) {
      status = command_fail((int)b->status, "%s", b->error.text);
      break;
    }
    cnnblas_status why = cnnblas_net_evaluate(net, b->count, b->images, b->labels, &part);
    if (why) {
      status = command_fail_library(why, COMMAND_BAD_INPUT, name);
      break;
    }
    result->loss += part.loss * (double)b->count;
    result->correct += part.correct;
    if (!result->nonfinite[0]) memcpy(result->nonfinite, part.nonfinite, sizeof part.nonfinite);
  }
  batches_end(room);
  result->images = images->count;
  result->loss /= (double)images->count;
  *seconds = progress_now() - begin;
  return status;
}

static double number(cnnblas_dtype dtype, const void *numbers, int64_t i)
{
  double value = dtype == CNNBLAS_F64 ? ((const double *)numbers)[i] : (double)((const float *)numbers)[i];
  return isnan(value) ? HUGE_VAL : value; /* as cnnblas_net_predict has it */
}

void evaluate_rank(cnnblas_dtype dtype, const void *numbers, int64_t classes, int64_t count, int32_t *ranking)
{
  int64_t found = 0;
  for (int64_t c = 0; c < classes; c++) {
    double value = number(dtype, numbers, c);
    int64_t at = found;
    while (at > 0 && value > number(dtype, numbers, ranking[at - 1])) at--;
    if (at == count) continue;
    found = found < count ? found + 1 : count;
    memmove(ranking + at + 1, ranking + at, (size_t)(found - at - 1) * sizeof *ranking);
    ranking[at] = (int32_t)c;
  }
}

/* Counts a batch's answers. */
static void count_batch(const batch *b, cnnblas_dtype dtype, const void *outputs, evaluate_answers *a)
{
  enum { BEST = 5 };
  const size_t element = dtype == CNNBLAS_F64 ? sizeof(double) : sizeof(float);
  const int64_t best = a->classes < BEST ? a->classes : BEST;
  for (int64_t i = 0; i < b->count; i++) {
    int32_t ranking[BEST];
    evaluate_rank(dtype, (const char *)outputs + (size_t)(i * a->classes) * element, a->classes, best, ranking);
    a->table[b->labels[i] * a->classes + ranking[0]]++;
    for (int64_t j = 0; j < best; j++) a->top5 += ranking[j] == b->labels[i];
  }
}

int evaluate_classes(cnnblas_net *net, const image_set *images, batches *room, const char *name,
                     evaluate_answers *answers)
{
  cnnblas_net_info info;
  int64_t places;
  cnnblas_net_get_info(net, &info);
  const size_t element = info.dtype == CNNBLAS_F64 ? sizeof(double) : sizeof(float);
  *answers = (evaluate_answers){.classes = info.classes};
  if (!__builtin_mul_overflow(info.classes, info.classes, &places))
    answers->table = io_alloc_zeroed((size_t)places, sizeof *answers->table);
  void *outputs = io_alloc_zeroed((size_t)info.batch, (size_t)info.classes * element);
  int status =
      outputs && answers->table ? COMMAND_FINE : command_fail(COMMAND_NO_ROOM, "out of memory for the confusion table");
  if (!status) batches_begin(room, images, 0, NULL);
  for (const batch *b; !status && (b = batches_next(room));) {
    if (b->status) {
      status = command_fail((int)b->status, "%s", b->error.text);
      break;
    }
    cnnblas_status why = cnnblas_net_forward(net, b->count, b->images, outputs);
    if (why)
      status = command_fail_library(why, COMMAND_BAD_INPUT, name);
    else
      count_batch(b, info.dtype, outputs, answers);
  }
  batches_end(room);
  io_free(outputs);
  return status;
}

void evaluate_answers_free(evaluate_answers *a)
{
  io_free(a->table);
  *a = (evaluate_answers){0};
}

static double share(int64_t of, int64_t all)
{
  return all ? (double)of / (double)all : NAN;
}

double evaluate_precision(const evaluate_answers *a, int64_t of)
{
  int64_t taken = 0;
  for (int64_t i = 0; i < a->classes; i++) taken += a->table[i * a->classes + of];
  return share(a->table[of * a->classes + of], taken);
}

double evaluate_recall(const evaluate_answers *a, int64_t of)
{
  int64_t are = 0;
  for (int64_t j = 0; j < a->classes; j++) are += a->table[of * a->classes + j];
  return share(a->table[of * a->classes + of], are);
}
