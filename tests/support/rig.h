/*
 * Everything one convolution call needs, trapped on all sides: inputs that nobody may write during the call, outputs
 * filled with NaN before it (or with known values, if the call adds to them), a workspace of exactly the size asked for.
 */
#ifndef TESTS_SUPPORT_RIG_H
#define TESTS_SUPPORT_RIG_H

#include "support/guarded.h"
#include "support/oracle.h"

/* What the inputs were last filled with: rig_fill() leaves them as they are where they would become the same again. */
typedef struct {
  problem p;
  rng before, after; /* the stream of numbers before the filling, and after it */
  bool whole, integers;
  placement where;
} rig_contents;

typedef struct {
  guarded x, w, y, bias, residual, old; /* inputs; old: what an accumulating call finds in its output */
  guarded out, db, workspace, packed;
  cnnblas_algorithm_info row; /* that ran last */
  rig_contents filled;
} rig;

/* How a call is made. Zero is the plain case: the automatic choice, default threads, the workspace passed. */
typedef struct {
  const char *algorithm;
  int32_t threads;
  cnnblas_workspace_policy policy;
  size_t limit;
  bool accumulate;
  bool no_workspace;             /* pass NULL: the call allocates */
  bool bias, residual, in_place; /* epilogue; in_place: the residual is the output itself */
  bool relu;
  bool packed; /* forward with packed weights */
  cnnblas_accuracy_policy accuracy;
  bool db;         /* ask for the bias gradient */
  placement where; /* of every array */
} variant;

/* One line for people. */
enum { VARIANT_TEXT = 192 };
void variant_text(const variant *v, char text[VARIANT_TEXT]);

/* A random variant for that direction, algorithm left NULL. */
void variant_random(variant *v, cnnblas_conv_direction direction, rng *r);

/* Sizes every input for p and fills it: small integers (so that every sum is exact) or reals. Locks
   the inputs: nobody may write them. */
void rig_fill(rig *g, const problem *p, rng *r, bool integers, placement where);

/* Forbids or allows writing the inputs. */
void rig_lock(rig *g, bool lock);

/* What a call must give: want, and if the variant asks for db, want_db. */
void rig_expect(const rig *g, const problem *p, cnnblas_conv_direction direction, int64_t n, const variant *v,
                oracle *want, oracle *want_db);

/* Makes the plan of a variant; NULL if the algorithm does not apply, whose message is then checked. */
cnnblas_conv_plan *rig_plan(const problem *p, cnnblas_conv_direction direction, const variant *v);

/* Executes plan on n images into g->out (and g->db), and checks that nothing around the arrays has been
   touched. */
void rig_execute(rig *g, const problem *p, cnnblas_conv_direction direction, int64_t n, const variant *v,
                 const cnnblas_conv_plan *plan);

/* oracle_check of the outputs of the row that ran last; db too if the variant asked for it. */
void rig_check(const rig *g, const variant *v, const oracle *want, const oracle *want_db, bool integers,
               const char *what);

/* rig_plan, rig_execute, destroy. False if the algorithm does not apply. */
bool rig_run(rig *g, const problem *p, cnnblas_conv_direction direction, int64_t n, const variant *v);

void rig_free(rig *g);

#endif
