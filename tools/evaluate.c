/* What a network makes of labelled images; see evaluate.h. */
#include "evaluate.h"
#include "command.h"
#include "io/system.h"
#include "progress.h"
#include "ranks.h"
#include <math.h>
#include <string.h>

enum { NAME = sizeof((cnnblas_net_result *)0)->nonfinite };

/* Batches are dealt to ranks round by round, and ranks join after each: none waits longer than another's batch takes. */
static int64_t count_rounds(const image_set *images, const batches *room)
{
  const int64_t round = room->most * ranks_count();
  return images->count / round + (images->count % round != 0);
}

/* The sums of a pass so far, and the first batch whose output is not finite. */
typedef struct {
  cnnblas_net_result *result;
  int64_t nonfinite_at; /* that batch */
  double *round;        /* [ranks]: the round's losses */
} findings;

/* Adds a round's losses in the order of the batches, whoever has them. */
static int join_round(findings *f)
{
  const int32_t ranks = ranks_count();
  const int status = ranks_sum(ranks, f->round);
  for (int32_t rank = 0; rank < ranks; rank++) f->result->loss += f->round[rank];
  memset(f->round, 0, (size_t)ranks * sizeof *f->round);
  return status;
}

/* Joins the right answers, and the name of the first layer that is not finite, a number a character. */
static int join_findings(findings *f)
{
  enum { OF_RANK = 1 + NAME /* its batch + 1, or 0; the name */ };
  const int32_t ranks = ranks_count();
  cnnblas_net_result *result = f->result;
  if (ranks == 1) return COMMAND_FINE;
  double *numbers = io_alloc_zeroed(1 + (size_t)ranks * OF_RANK, sizeof *numbers);
  if (!numbers) return command_fail(COMMAND_NO_ROOM, "out of memory for %d ranks", (int)ranks);
  double *own = numbers + 1 + ranks_own() * OF_RANK, *first = NULL;
  numbers[0] = (double)result->correct;
  if (result->nonfinite[0]) own[0] = (double)f->nonfinite_at + 1;
  for (int i = 0; i < NAME; i++) own[1 + i] = result->nonfinite[i];
  int status = ranks_sum(1 + (int64_t)ranks * OF_RANK, numbers);
  result->correct = (int64_t)numbers[0];
  for (int32_t rank = 0; rank < ranks; rank++) {
    double *theirs = numbers + 1 + rank * OF_RANK;
    if (theirs[0] != 0 && (!first || theirs[0] < first[0])) first = theirs;
  }
  for (int i = 0; i < NAME && first; i++) result->nonfinite[i] = (char)first[1 + i];
  io_free(numbers);
  return status;
}

/* Evaluates a batch, the at-th of all. */
static int add_batch(cnnblas_net *net, const batch *b, int64_t at, const char *name, findings *f)
{
  cnnblas_net_result part;
  if (b->status) return command_fail((int)b->status, "%s", b->error.text);
  cnnblas_status why = cnnblas_net_evaluate(net, b->count, b->images, b->labels, &part);
  if (why) return command_fail_library(why, COMMAND_BAD_INPUT, name);
  f->round[ranks_own()] = part.loss * (double)b->count;
  f->result->correct += part.correct;
  if (!part.nonfinite[0] || f->result->nonfinite[0]) return COMMAND_FINE;
  memcpy(f->result->nonfinite, part.nonfinite, sizeof part.nonfinite);
  f->nonfinite_at = at;
  return COMMAND_FINE;
}

int evaluate_images(cnnblas_net *net, const image_set *images, batches *room, const char *name,
                    cnnblas_net_result *result, double *seconds)
{
  const double begin = progress_now();
  const int64_t rounds = count_rounds(images, room);
  findings all = {.result = result};
  memset(result, 0, sizeof *result);
  all.round = io_alloc_zeroed((size_t)ranks_count(), sizeof *all.round);
  int status = all.round ? COMMAND_FINE : command_fail(COMMAND_NO_ROOM, "out of memory for the batches' losses");
  batches_share(room, BATCHES_DEALT, ranks_count(), ranks_own());
  if (!status) batches_begin(room, images, 0, NULL);
  for (int64_t round = 0; round < rounds && !status; round++) {
    const batch *b = batches_next(room); /* NULL: the last round is not all ranks' */
    if (b) status = add_batch(net, b, round * ranks_count() + ranks_own(), name, &all);
    if (!status) status = join_round(&all);
  }
  batches_end(room);
  if (!status) status = join_findings(&all);
  io_free(all.round);
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
  const int64_t rounds = count_rounds(images, room);
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
  for (int64_t round = 0; round < rounds && !status; round++) {
    const batch *b = batches_next(room);
    double nothing = 0;
    cnnblas_status why = CNNBLAS_OK;
    if (b && b->status) status = command_fail((int)b->status, "%s", b->error.text);
    if (b && !status) why = cnnblas_net_forward(net, b->count, b->images, outputs);
    if (why) status = command_fail_library(why, COMMAND_BAD_INPUT, name);
    if (b && !status) count_batch(b, info.dtype, outputs, answers);
    if (!status) status = ranks_sum(1, &nothing);
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
