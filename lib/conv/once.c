/* The one-call helpers: plan, execute, free. */
#include <cnnblas/conv.h>

cnnblas_status cnnblas_conv(const cnnblas_conv_desc *desc, const void *x, const void *w, const void *bias, void *y)
{
  cnnblas_conv_plan *plan;
  cnnblas_conv_epilogue epilogue = {.bias = bias};
  cnnblas_status status = cnnblas_conv_plan_create(desc, CNNBLAS_FORWARD, NULL, &plan);
  if (status) return status;
  status = cnnblas_conv_forward(plan, desc->n, x, w, &epilogue, y, NULL, 0);
  cnnblas_conv_plan_destroy(plan);
  return status;
}

cnnblas_status cnnblas_conv_input_gradient(const cnnblas_conv_desc *desc, const void *dy, const void *w, void *dx)
{
  cnnblas_conv_plan *plan;
  cnnblas_status status = cnnblas_conv_plan_create(desc, CNNBLAS_BACKWARD_DATA, NULL, &plan);
  if (status) return status;
  status = cnnblas_conv_backward_data(plan, desc->n, dy, w, dx, NULL, 0);
  cnnblas_conv_plan_destroy(plan);
  return status;
}

cnnblas_status cnnblas_conv_weight_gradient(const cnnblas_conv_desc *desc, const void *x, const void *dy, void *dw,
                                            void *db)
{
  cnnblas_conv_plan *plan;
  cnnblas_status status = cnnblas_conv_plan_create(desc, CNNBLAS_BACKWARD_WEIGHTS, NULL, &plan);
  if (status) return status;
  status = cnnblas_conv_backward_weights(plan, desc->n, x, dy, dw, db, NULL, 0);
  cnnblas_conv_plan_destroy(plan);
  return status;
}
