/*
 * A library that passes for another build of libcnnblas in the tests of cnnblas-bench ab: forward convolutions of 1x1
 * filters only, summed in double and rounded once, so that its bits are others than the library's. Compiled with
 * PLANT_WRONG the last output is wrong; PLANT_VERSION is the version that it claims to be.
 */
#include <cnnblas/cnnblas.h>
#include <stdlib.h>
#include <string.h>

#ifndef PLANT_VERSION
#define PLANT_VERSION "0.2.77"
#endif
#ifndef PLANT_WRONG
#define PLANT_WRONG 0
#endif

struct cnnblas_conv_plan {
  cnnblas_conv_desc desc;
};

static const char *message = "";

const char *cnnblas_version_string(void)
{
  return PLANT_VERSION;
}

const char *cnnblas_last_error(void)
{
  return message;
}

cnnblas_status cnnblas_system_get_info(cnnblas_system_info *info)
{
  *info = (cnnblas_system_info){.isa = "planted", .cores = 1, .threads = 1};
  return CNNBLAS_OK;
}

cnnblas_status cnnblas_conv_plan_create(const cnnblas_conv_desc *desc, cnnblas_conv_direction direction,
                                        const cnnblas_conv_options *options, cnnblas_conv_plan **plan)
{
  (void)options;
  message = "the planted build knows 1x1 filters of float forward, no more";
  if (direction != CNNBLAS_FORWARD || desc->dtype != CNNBLAS_F32 || desc->rank > 2 || desc->groups > 1 ||
      desc->kernel[0] != 1 || desc->kernel[1] != 1)
    return CNNBLAS_UNSUPPORTED;
  *plan = malloc(sizeof **plan);
  if (!*plan) return CNNBLAS_OUT_OF_MEMORY;
  (*plan)->desc = *desc;
  return CNNBLAS_OK;
}

void cnnblas_conv_plan_destroy(cnnblas_conv_plan *plan)
{
  free(plan);
}

size_t cnnblas_conv_plan_workspace(const cnnblas_conv_plan *plan)
{
  (void)plan;
  return 0;
}

const char *cnnblas_conv_plan_algorithm(const cnnblas_conv_plan *plan)
{
  (void)plan;
  return "planted";
}

cnnblas_status cnnblas_conv_forward(const cnnblas_conv_plan *plan, int64_t n, const void *x, const void *w,
                                    const cnnblas_conv_epilogue *epilogue, void *y, void *workspace,
                                    size_t workspace_bytes)
{
  (void)epilogue, (void)workspace, (void)workspace_bytes;
  const cnnblas_conv_desc *d = &plan->desc;
  int64_t pixels = d->size[0] * d->size[1];
  const float *from = x, *filters = w;
  float *to = y;
  for (int64_t i = 0; i < n * d->k * pixels; i++) {
    int64_t image = i / (d->k * pixels), filter = i / pixels % d->k, pixel = i % pixels;
    double sum = 0;
    for (int64_t c = 0; c < d->c; c++)
      sum += (double)from[(image * d->c + c) * pixels + pixel] * (double)filters[filter * d->c + c];
    to[i] = (float)sum;
  }
  if (PLANT_WRONG) to[n * d->k * pixels - 1] += 1;
  return CNNBLAS_OK;
}

cnnblas_status cnnblas_conv_forward_once(const cnnblas_conv_desc *desc, const void *x, const void *w, const void *bias,
                                         void *y)
{
  (void)bias;
  cnnblas_conv_plan *plan;
  cnnblas_status status = cnnblas_conv_plan_create(desc, CNNBLAS_FORWARD, NULL, &plan);
  if (status) return status;
  status = cnnblas_conv_forward(plan, desc->n, x, w, NULL, y, NULL, 0);
  cnnblas_conv_plan_destroy(plan);
  return status;
}

cnnblas_status cnnblas_conv_backward_data(const cnnblas_conv_plan *plan, int64_t n, const void *dy, const void *w,
                                          void *dx, void *workspace, size_t workspace_bytes)
{
  (void)plan, (void)n, (void)dy, (void)w, (void)dx, (void)workspace, (void)workspace_bytes;
  return CNNBLAS_UNSUPPORTED;
}

cnnblas_status cnnblas_conv_backward_weights(const cnnblas_conv_plan *plan, int64_t n, const void *x, const void *dy,
                                             void *dw, void *db, void *workspace, size_t workspace_bytes)
{
  (void)plan, (void)n, (void)x, (void)dy, (void)dw, (void)db, (void)workspace, (void)workspace_bytes;
  return CNNBLAS_UNSUPPORTED;
}

cnnblas_status cnnblas_conv_plan_packed_bytes(const cnnblas_conv_plan *plan, size_t *bytes)
{
  (void)plan, (void)bytes;
  return CNNBLAS_UNSUPPORTED;
}

cnnblas_status cnnblas_conv_plan_pack_weights(const cnnblas_conv_plan *plan, const void *w, void *packed, size_t bytes)
{
  (void)plan, (void)w, (void)packed, (void)bytes;
  return CNNBLAS_UNSUPPORTED;
}

cnnblas_status cnnblas_conv_forward_packed(const cnnblas_conv_plan *plan, int64_t n, const void *x, const void *packed,
                                           const cnnblas_conv_epilogue *epilogue, void *y, void *workspace,
                                           size_t workspace_bytes)
{
  (void)plan, (void)n, (void)x, (void)packed, (void)epilogue, (void)y, (void)workspace, (void)workspace_bytes;
  return CNNBLAS_UNSUPPORTED;
}
