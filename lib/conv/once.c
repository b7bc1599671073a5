/* The one-call helpers: plan, execute, free. */
#include "base/status.h"
#include <cnnblas/conv.h>

/* A descriptor whose n was left at 0 would make the call do nothing and return success. Someone who means an empty
   batch has no arrays of images to pass. */
static cnnblas_status refuse_forgotten_batch(const cnnblas_conv_desc *desc, const void *images, const void *more_images)
{
  if (!desc || desc->n != 0 || (!images && !more_images)) return CNNBLAS_OK;
  return cb_fail(CNNBLAS_INVALID_ARGUMENT, "n is 0, so nothing would be computed, but arrays of images are given; "
                                           "set n to the number of images, 1 for a single one");
}

cnnblas_status cnnblas_conv_forward_once(const cnnblas_conv_desc *desc, const void *x, const void *w, const void *bias,
                                         void *y)
{
  cnnblas_conv_plan *plan;
  cnnblas_conv_epilogue epilogue = {.bias = bias};
  cnnblas_status status = refuse_forgotten_batch(desc, x, y);
  if (!status) status = cnnblas_conv_plan_create(desc, CNNBLAS_FORWARD, NULL, &plan);
  if (status) return status;
  status = cnnblas_conv_forward(plan, desc->n, x, w, &epilogue, y, NULL, 0);
  cnnblas_conv_plan_destroy(plan);
  return status;
}

cnnblas_status cnnblas_conv_backward_data_once(const cnnblas_conv_desc *desc, const void *dy, const void *w, void *dx)
{
  cnnblas_conv_plan *plan;
  cnnblas_status status = refuse_forgotten_batch(desc, dy, dx);
  if (!status) status = cnnblas_conv_plan_create(desc, CNNBLAS_BACKWARD_DATA, NULL, &plan);
  if (status) return status;
  status = cnnblas_conv_backward_data(plan, desc->n, dy, w, dx, NULL, 0);
  cnnblas_conv_plan_destroy(plan);
  return status;
}

cnnblas_status cnnblas_conv_backward_weights_once(const cnnblas_conv_desc *desc, const void *x, const void *dy,
                                                  void *dw, void *db)
{
  cnnblas_conv_plan *plan;
  cnnblas_status status = refuse_forgotten_batch(desc, x, dy);
  if (!status) status = cnnblas_conv_plan_create(desc, CNNBLAS_BACKWARD_WEIGHTS, NULL, &plan);
  if (status) return status;
  status = cnnblas_conv_backward_weights(plan, desc->n, x, dy, dw, db, NULL, 0);
  cnnblas_conv_plan_destroy(plan);
  return status;
}
