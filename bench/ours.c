/* The library as one of those that are timed: a plan, a workspace of its size, the call. */
#include "memory.h"
#include "peer.h"
#include <stdio.h>
#include <stdlib.h>

typedef struct ours {
  const bench_task *task;
  cnnblas_conv_plan *plan;
  void *workspace, *packed; /* packed weights, where the plan takes them */
  size_t bytes, packed_bytes;
} ours;

static void destroy(void *state)
{
  ours *self = state;
  cnnblas_conv_plan_destroy(self->plan);
  if (self->workspace) bench_pages_free(self->workspace, self->bytes);
  if (self->packed) bench_pages_free(self->packed, self->packed_bytes);
  free(self);
}

/* Packs the task's weights; false without memory. */
static bool pack(ours *self)
{
  const bench_task *t = self->task;
  if (cnnblas_conv_packed_bytes(&t->desc, &self->packed_bytes)) return false;
  self->packed = bench_pages(self->packed_bytes);
  return self->packed && !cnnblas_conv_pack_weights(&t->desc, t->w, self->packed, self->packed_bytes);
}

static void *create(const bench_task *task, const void *options, char *why, size_t why_size)
{
  ours *self = calloc(1, sizeof *self);
  if (!self) {
    snprintf(why, why_size, "out of memory");
    return NULL;
  }
  self->task = task;
  if (cnnblas_conv_plan_create(&task->desc, task->direction, options, &self->plan)) {
    snprintf(why, why_size, "%s", cnnblas_last_error());
    free(self);
    return NULL;
  }
  self->bytes = cnnblas_conv_plan_workspace(self->plan);
  self->workspace = self->bytes ? bench_pages(self->bytes) : NULL;
  if (self->bytes && !self->workspace) {
    snprintf(why, why_size, "no memory for a workspace of %zu bytes", self->bytes);
    destroy(self);
    return NULL;
  }
  const cnnblas_conv_options *o = options;
  if (o && o->packed_weights && !pack(self)) {
    snprintf(why, why_size, "no memory for packed weights of %zu bytes", self->packed_bytes);
    destroy(self);
    return NULL;
  }
  return self;
}

static bool run(void *state)
{
  const ours *self = state;
  const bench_task *t = self->task;
  switch (t->direction) {
  case CNNBLAS_FORWARD:
    if (self->packed)
      return !cnnblas_conv_forward_packed(self->plan, t->desc.n, t->x, self->packed, NULL, t->out, self->workspace,
                                          self->bytes);
    return !cnnblas_conv_forward(self->plan, t->desc.n, t->x, t->w, NULL, t->out, self->workspace, self->bytes);
  case CNNBLAS_BACKWARD_DATA:
    return !cnnblas_conv_backward_data(self->plan, t->desc.n, t->dy, t->w, t->out, self->workspace, self->bytes);
  case CNNBLAS_BACKWARD_WEIGHTS:
    return !cnnblas_conv_backward_weights(self->plan, t->desc.n, t->x, t->dy, t->out, NULL, self->workspace,
                                          self->bytes);
  }
  return false;
}

static const char *describe(const void *state)
{
  return cnnblas_conv_plan_algorithm(((const ours *)state)->plan);
}

static size_t workspace(const void *state)
{
  return ((const ours *)state)->bytes;
}

const bench_peer bench_ours = {.name = "cnnblas",
                               .summary = "the library",
                               .create = create,
                               .run = run,
                               .describe = describe,
                               .workspace = workspace,
                               .destroy = destroy};
