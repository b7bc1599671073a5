/*
 * Which code runs for this shape? The rows below, in this order: the lowest estimated cost among those that apply wins,
 * the order breaks ties. Rows marked by_name_only are taken only when no other applies.
 */
#include "conv/algorithms.h"
#include "base/status.h"
#include <stdio.h>
#include <string.h>

extern const cb_algorithm cb_implicit_channels, cb_implicit_pixels, cb_implicit_images, cb_implicit_slivers,
    cb_implicit_inputs, cb_gemm_1x1, cb_depthwise, cb_direct, cb_im2col, cb_im2col_rot180, cb_winograd_row_2,
    cb_winograd_row_3, cb_winograd_row_4, cb_naive, cb_reference;

static const cb_algorithm *const table[] = {
    &cb_depthwise,         /* one input channel a group: direct loops, one plane at a time */
    &cb_direct,            /* few channels a group: direct loops with sums over planes */
    &cb_implicit_channels, /* a table of addresses walked by the micro-kernel, channels on the lanes */
    &cb_implicit_pixels,   /* a table of addresses, pixels on the lanes */
    &cb_implicit_images,   /* a table of addresses, images on the lanes */
    &cb_implicit_slivers,  /* pixels on the lanes, both operands packed in pieces that fit the caches */
    &cb_implicit_inputs,   /* a table of addresses, input channels on the lanes: weight gradients */
    &cb_gemm_1x1,          /* 1x1 kernels, stride 1, no padding: the input is the lowered matrix */
    &cb_im2col,            /* tiles of the lowered matrix, one serial GEMM each */
    &cb_winograd_row_2,    /* 3x3 kernels at stride 1, minimal filtering of tiles of 2x2: norm-wise accurate */
    &cb_winograd_row_3,    /* minimal filtering of tiles of 3x3 */
    &cb_winograd_row_4,    /* minimal filtering of tiles of 4x4: fewer multiplications, larger errors */
    &cb_im2col_rot180,     /* input gradients at stride 1: pad(delta) * rot180(W) through the forward lowering */
    &cb_naive,             /* seven loops in the array's type, one thread: the baseline of benchmarks */
    &cb_reference,         /* the definition, accumulated in the next wider type: the oracle of tests */
};

enum { ROWS = sizeof table / sizeof *table };
_Static_assert((int)ROWS <= (int)CB_MAX_ALGORITHMS, "seconds[] of a plan has a place for each row");

const cb_algorithm *cb_algorithm_at(int i)
{
  return i >= 0 && i < ROWS ? table[i] : NULL;
}

const char *cnnblas_conv_algorithm_name(int32_t index)
{
  const cb_algorithm *row = cb_algorithm_at(index);
  return row ? row->full_name : NULL;
}

/* Transforms, products and sums of F(2x2,3x3) amplify one rounding at most 9.4 times, those of
   F(3x3,2x2) 7.6 times, and twice that where tiles overlap, those of F(4x4,3x3) 66 times. */
int32_t cb_norm_factor(const cb_algorithm *row)
{
  return row->accuracy == CNNBLAS_ACCURACY_NORM ? 16 : row->accuracy == CNNBLAS_ACCURACY_NORM_RELAXED ? 80 : 0;
}

bool cb_algorithm_allowed(const cb_algorithm *row, const cb_problem *problem)
{
  if (row->accuracy == CNNBLAS_ACCURACY_NORM) return problem->accuracy != CNNBLAS_ACCURACY_EXACT;
  return row->accuracy != CNNBLAS_ACCURACY_NORM_RELAXED || problem->accuracy == CNNBLAS_ACCURACY_RELAXED;
}

cnnblas_status cnnblas_conv_algorithm_info(int32_t index, cnnblas_algorithm_info *info)
{
  const cb_algorithm *row = cb_algorithm_at(index);
  if (!info) return cb_fail(CNNBLAS_INVALID_ARGUMENT, "info is NULL");
  if (!row) return cb_fail(CNNBLAS_INVALID_ARGUMENT, "index is %d; there are %d algorithms", (int)index, (int)ROWS);
  *info = (cnnblas_algorithm_info){.name = row->full_name,
                                   .family = row->name,
                                   .orientation = row->orientation ? row->orientation : "",
                                   .accuracy = row->accuracy,
                                   .directions = (int32_t)row->directions,
                                   .packed_weights = row->packing != NULL,
                                   .uses_blas = row->uses_blas,
                                   .by_name_only = row->by_name_only,
                                   .one_thread = row->one_thread,
                                   .by_batch = row->by_batch,
                                   .scope = row->scope,
                                   .workspace = row->workspace ? row->workspace : CB_WORKSPACE,
                                   .task_macs = row->task_macs ? row->task_macs : CB_TASK_MACS,
                                   .norm_factor = cb_norm_factor(row)};
  return CNNBLAS_OK;
}

bool cb_algorithm_named(const cb_algorithm *row, const char *name)
{
  return !name || strcmp(row->full_name, name) == 0 || strcmp(row->name, name) == 0;
}

const cb_algorithm *cb_algorithm_find(const char *name)
{
  for (int i = 0; i < ROWS; i++)
    if (cb_algorithm_named(table[i], name)) return table[i];
  return NULL;
}

/* The problem by which names are judged. A forward's choice must not change with the batch, or one image's bits would
   change: it is made for CB_FORWARD_IMAGES, between the one image of inference and the many of training. Gradients have
   the whole batch in their sums or are only needed in training: they are judged by the batch that they have. */
static cb_problem judged(const cb_problem *problem)
{
  cb_problem fixed = *problem;
  if (problem->direction == CNNBLAS_FORWARD) fixed.geo.n = CB_FORWARD_IMAGES;
  return fixed;
}

static bool does_direction(const cb_algorithm *row, cnnblas_conv_direction direction, char *why, size_t size)
{
  if (row->directions >> direction & 1) return true;
  snprintf(why, size, "it does not do %s, only", cnnblas_conv_direction_name(direction));
  const char *before = " ";
  for (int d = 0; d <= CNNBLAS_BACKWARD_WEIGHTS; d++) {
    const size_t used = strlen(why);
    if (!(row->directions >> d & 1)) continue;
    snprintf(why + used, size - used, "%s%s", before, cnnblas_conv_direction_name((cnnblas_conv_direction)d));
    before = " and ";
  }
  return false;
}

static bool in_scope(const cb_algorithm *row, const cb_geometry *geo, char *why, size_t size)
{
  const cb_axis *a = geo->axis;
  switch (row->scope) {
  case CNNBLAS_SCOPE_STRIDE_1:
    if (a[0].stride == 1 && a[1].stride == 1 && a[2].stride == 1) return true;
    snprintf(why, size, "for stride 1 only");
    return false;
  case CNNBLAS_SCOPE_POINTWISE:
    if (cb_geometry_is_pointwise(geo)) return true;
    snprintf(why, size, "for kernel 1, stride 1, no padding only");
    return false;
  case CNNBLAS_SCOPE_ONE_TAP:
    if (cb_geometry_is_one_tap(geo)) return true;
    snprintf(why, size, "for kernel 1, no padding only");
    return false;
  case CNNBLAS_SCOPE_DEPTHWISE:
    if (geo->cg == 1) return true;
    snprintf(why, size, "for one input channel a group only; here it is %lld", (long long)geo->cg);
    return false;
  case CNNBLAS_SCOPE_SOME:
  case CNNBLAS_SCOPE_ROOM:
  case CNNBLAS_SCOPE_EVERY:
    break;
  }
  return true;
}

static bool applies_to(const cb_algorithm *row, const cb_problem *problem, char *why, size_t size)
{
  if (!does_direction(row, problem->direction, why, size) || !in_scope(row, &problem->geo, why, size)) return false;
  if (!problem->packed || cb_row_packing(row, problem->direction))
    return !row->applies || row->applies(problem, why, size);
  snprintf(why, size, "it takes weights as they are, not packed");
  return false;
}

/* Orientations of one name give a forward the same bits, so which of them runs may follow the batch. */
bool cb_algorithm_applies(const cb_algorithm *row, const cb_problem *problem, char *why, size_t size)
{
  const cb_problem fixed = judged(problem);
  return applies_to(row, row->orientation ? problem : &fixed, why, size);
}

/* The rows' estimates; rows that do not apply have none. */
typedef struct {
  bool applies[CB_MAX_ALGORITHMS];
  double seconds[CB_MAX_ALGORITHMS];
} estimates;

static void estimate(const cb_problem *problem, int i, estimates *e, char *why, size_t size)
{
  e->applies[i] = applies_to(table[i], problem, why, size);
  e->seconds[i] = e->applies[i] ? table[i]->cost(problem) : 0;
}

/* A row that a batch of another size may not have makes a name apply only beside rows that any batch has. */
static void drop_lonely(estimates *e)
{
  for (int i = 0; i < ROWS; i++) {
    bool company = !table[i]->by_batch;
    for (int j = 0; j < ROWS && !company; j++)
      company = e->applies[j] && !table[j]->by_batch && strcmp(table[i]->name, table[j]->name) == 0;
    e->applies[i] &= company;
  }
}

/* The best row of those that apply and that the name asks for, or -1. */
static int best_of(const estimates *e, const char *name)
{
  int best = -1;
  for (int i = 0; i < ROWS; i++) {
    if (!e->applies[i] || !cb_algorithm_named(table[i], name)) continue;
    bool better = best < 0 || (table[best]->by_name_only && !table[i]->by_name_only) ||
                  (table[best]->by_name_only == table[i]->by_name_only && e->seconds[i] < e->seconds[best]);
    if (better) best = i;
  }
  return best;
}

const cb_algorithm *cb_algorithm_choose(const cb_problem *problem, const char *name, double seconds[CB_MAX_ALGORITHMS],
                                        char *why, size_t size)
{
  const cb_problem fixed = judged(problem);
  const double batches = problem->direction == CNNBLAS_FORWARD ? (double)problem->geo.n / CB_FORWARD_IMAGES : 1;
  estimates names, rows;
  bool refused = false;
  for (int i = 0; i < ROWS; i++) {
    char reason[128];
    estimate(&fixed, i, &names, reason, sizeof reason);
    rows.applies[i] = names.applies[i];
    rows.seconds[i] = names.seconds[i] * batches;
    if (table[i]->orientation && fixed.geo.n != problem->geo.n) estimate(problem, i, &rows, reason, sizeof reason);
    seconds[i] = rows.seconds[i];
    if (!name && !cb_algorithm_allowed(table[i], problem)) names.applies[i] = rows.applies[i] = false;
    if (refused || rows.applies[i] || !cb_algorithm_named(table[i], name)) continue;
    snprintf(why, size, "%s", reason);
    refused = true;
  }
  const cb_algorithm *asked = name ? cb_algorithm_find(name) : NULL;
  bool row_asked = asked && strcmp(asked->full_name, name) == 0;
  if (problem->direction == CNNBLAS_FORWARD) drop_lonely(&names);
  int best = row_asked ? best_of(&rows, name) : best_of(&names, name);
  if (best >= 0 && !row_asked) best = best_of(&rows, table[best]->name);
  return best < 0 ? NULL : table[best];
}
