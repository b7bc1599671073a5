/* The library as one of those that are timed: a plan, a workspace of its size, the call. */
#include "library_api.h"
#include "peer.h"
#include "process_memory.h"
#include <stdio.h>
#include <stdlib.h>

typedef struct ours {
  const bench_library_api *api;
  const bench_task *task;
  cnnblas_conv_plan *plan;
  bench_scratch own, *workspace; /* workspace points to own, or to one that is shared */
  size_t bytes;                  /* of the workspace that the plan needs */
  void *packed;                  /* weights, where the plan takes them packed */
  size_t packed_bytes;
} ours;

static const bench_library_api linked = {
#define X(name, old) .name = cnnblas_##name,
    BENCH_LIBRARY_CALLS(X)
#undef X
};

static void destroy(void *state)
{
  ours *self = state;
  self->api->conv_plan_destroy(self->plan);
  if (self->own.pages) bench_pages_free(self->own.pages, self->own.bytes);
  if (self->packed) bench_pages_free(self->packed, self->packed_bytes);
  free(self);
}

/* Packs the task's weights; NULL, or why not. */
static const char *pack(ours *self)
{
  const bench_library_api *api = self->api;
  if (!api->conv_plan_packed_bytes) return "a build that packs weights by other calls";
  if (self->task->direction == CNNBLAS_BACKWARD_DATA && !api->conv_backward_data_packed)
    return "a build whose input gradients take no packed weights";
  if (api->conv_plan_packed_bytes(self->plan, &self->packed_bytes)) return api->last_error();
  self->packed = bench_pages(self->packed_bytes);
  if (!self->packed) return "no memory for packed weights";
  bool failed = api->conv_plan_pack_weights(self->plan, self->task->w, self->packed, self->packed_bytes);
  return failed ? api->last_error() : NULL;
}

/* Makes the scratch at least that large; false without memory, and it is empty then. */
static bool grow(bench_scratch *scratch, size_t bytes)
{
  if (bytes <= scratch->bytes) return true;
  if (scratch->pages) bench_pages_free(scratch->pages, scratch->bytes);
  scratch->pages = bench_pages(bytes);
  scratch->bytes = scratch->pages ? bytes : 0;
  return scratch->pages;
}

static void *create_build(const bench_task *task, const void *options, char *why, size_t why_size)
{
  const bench_build_options *build = options;
  ours *self = calloc(1, sizeof *self);
  if (!self) {
    snprintf(why, why_size, "out of memory");
    return NULL;
  }
  self->api = build->api;
  self->task = task;
  if (self->api->conv_plan_create(&task->desc, task->direction, build->conv, &self->plan)) {
    snprintf(why, why_size, "%s", self->api->last_error());
    free(self);
    return NULL;
  }
  self->bytes = self->api->conv_plan_workspace(self->plan);
  self->workspace = build->scratch ? build->scratch : &self->own;
  if (!grow(self->workspace, self->bytes)) {
    snprintf(why, why_size, "no memory for a workspace of %zu bytes", self->bytes);
    destroy(self);
    return NULL;
  }
  const char *reason = build->conv && build->conv->packed_weights ? pack(self) : NULL;
  if (reason) {
    snprintf(why, why_size, "%s", reason);
    destroy(self);
    return NULL;
  }
  return self;
}

static void *create(const bench_task *task, const void *options, char *why, size_t why_size)
{
  return create_build(task, &(bench_build_options){&linked, options, NULL}, why, why_size);
}

static bool run(void *state)
{
  const ours *self = state;
  const bench_library_api *api = self->api;
  const bench_task *t = self->task;
  void *workspace = self->bytes ? self->workspace->pages : NULL;
  switch (t->direction) {
  case CNNBLAS_FORWARD:
    if (self->packed)
      return !api->conv_forward_packed(self->plan, t->desc.n, t->x, self->packed, NULL, t->out, workspace, self->bytes);
    return !api->conv_forward(self->plan, t->desc.n, t->x, t->w, NULL, t->out, workspace, self->bytes);
  case CNNBLAS_BACKWARD_DATA:
    if (self->packed)
      return !api->conv_backward_data_packed(self->plan, t->desc.n, t->dy, self->packed, t->out, workspace,
                                             self->bytes);
    return !api->conv_backward_data(self->plan, t->desc.n, t->dy, t->w, t->out, workspace, self->bytes);
  case CNNBLAS_BACKWARD_WEIGHTS:
    return !api->conv_backward_weights(self->plan, t->desc.n, t->x, t->dy, t->out, NULL, workspace, self->bytes);
  }
  return false;
}

static const char *describe(const void *state)
{
  const ours *self = state;
  return self->api->conv_plan_algorithm(self->plan);
}

static size_t workspace_bytes(const void *state)
{
  return ((const ours *)state)->bytes;
}

const bench_peer bench_ours = {.name = "cnnblas",
                               .summary = "the library",
                               .create = create,
                               .run = run,
                               .describe = describe,
                               .workspace = workspace_bytes,
                               .destroy = destroy};

const bench_peer bench_other_build = {.name = "build",
                                      .summary = "another build of the library",
                                      .create = create_build,
                                      .run = run,
                                      .describe = describe,
                                      .workspace = workspace_bytes,
                                      .destroy = destroy};
