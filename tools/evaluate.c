/* What a network makes of labelled images; see evaluate.h. */
#include "evaluate.h"
#include "command.h"
#include "io/system.h"
#include "progress.h"
#include "ranks.h"
#include <math.h>
#include <string.h>

/* What ranks find, joined: a loss a batch, so that losses are added in the batches' order, whoever has them; right answers; each
   rank's name of a layer that is not finite, a number a character. */
typedef struct {
  int64_t batches;
  double *numbers; /* [batches + 1 + ranks * NAME] */
} findings;

enum { NAME = sizeof((cnnblas_net_result *)0)->nonfinite };

static int make_findings(const image_set *images, const batches *room, findings *f)
{
  f->batches = (images->count + room->most - 1) / room->most;
  f->numbers = io_alloc_zeroed((size_t)(f->batches + 1 + ranks_count() * NAME), sizeof *f->numbers);
  return f->numbers ? COMMAND_FINE : command_fail(COMMAND_NO_ROOM, "out of memory for the batches' losses");
}

static int join_findings(findings *f, cnnblas_net_result *result)
{
  double *names = f->numbers + f->batches + 1;
  f->numbers[f->batches] = (double)result->correct;
  for (int i = 0; i < NAME; i++) names[ranks_own() * NAME + i] = result->nonfinite[i];
  int status = ranks_sum(f->batches + 1 + ranks_count() * NAME, f->numbers);
  for (int64_t i = 0; i < f->batches; i++) result->loss += f->numbers[i];
  result->correct = (int64_t)f->numbers[f->batches];
  for (int32_t rank = ranks_count() - 1; rank >= 0; rank--)
    for (int i = 0; i < NAME && names[rank * NAME] != 0; i++) result->nonfinite[i] = (char)names[rank * NAME + i];
  return status;
}

int evaluate_images(cnnblas_net *net, const image_set *images, batches *room, const char *name,
                    cnnblas_net_result *result, double *seconds)
{
  double begin = progress_now();
  findings all;
  memset(result, 0, sizeof *result);
  int status = make_findings(images, room, &all);
  int64_t at = ranks_own();
  batches_share(room, BATCHES_DEALT, ranks_count(), ranks_own());
  if (!status) batches_begin(room, images, 0, NULL);
  for (const batch *b; !status && (b = batches_next(room)); at += ranks_count()) {
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
    all.numbers[at] = part.loss * (double)b->count;
    result->correct += part.correct;
    if (!result->nonfinite[0]) memcpy(result->nonfinite, part.nonfinite, sizeof part.nonfinite);
  }
  batches_end(room);
  if (!status) status = join_findings(&all, result);
  io_free(all.numbers);
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

/* Adds up what ranks have counted; numbers below 2^53 are whole in doubles too. */
static int join_answers(evaluate_answers *a)
{
  const int64_t places = a->classes * a->classes;
  if (ranks_count() == 1) return COMMAND_FINE;
  double *numbers = io_alloc_zeroed((size_t)places + 1, sizeof *numbers);
  if (!numbers) return command_fail(COMMAND_NO_ROOM, "out of memory for the confusion table");
  for (int64_t i = 0; i < places; i++) numbers[i] = (double)a->table[i];
  numbers[places] = (double)a->top5;
  int status = ranks_sum(places + 1, numbers);
  for (int64_t i = 0; i < places; i++) a->table[i] = (int64_t)numbers[i];
  a->top5 = (int64_t)numbers[places];
  io_free(numbers);
  return status;
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
  batches_share(room, BATCHES_DEALT, ranks_count(), ranks_own());
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
  return status ? status : join_answers(answers);
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
