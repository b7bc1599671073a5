/* The list of activation functions; see activation_kinds.h. */
#include "base/activation_kinds.h"
#include "base/status.h"
#include <math.h>
#include <stddef.h>
#include <string.h>

enum { KINDS = CNNBLAS_GELU + 1 };

static const char *const names[KINDS] = {
    [CNNBLAS_IDENTITY] = "IDENTITY", [CNNBLAS_RELU] = "RELU",       [CNNBLAS_LEAKY_RELU] = "LEAKY_RELU",
    [CNNBLAS_CLIP] = "CLIP",         [CNNBLAS_SIGMOID] = "SIGMOID", [CNNBLAS_TANH] = "TANH",
    [CNNBLAS_ELU] = "ELU",           [CNNBLAS_SELU] = "SELU",       [CNNBLAS_SOFTPLUS] = "SOFTPLUS",
    [CNNBLAS_HSIGMOID] = "HSIGMOID", [CNNBLAS_SWISH] = "SWISH",     [CNNBLAS_HSWISH] = "HSWISH",
    [CNNBLAS_GELU] = "GELU",
};

void cnnblas_activation_init(cnnblas_activation *activation)
{
  if (activation) memset(activation, 0, sizeof *activation);
}

const char *cb_activation_name(cnnblas_activation_kind kind)
{
  return (int)kind >= 0 && (int)kind < KINDS ? names[kind] : NULL;
}

static cnnblas_status check_parameters(const cnnblas_activation *a)
{
  const char *name = names[a->kind];
  if (a->kind == CNNBLAS_CLIP) {
    if (a->alpha < a->beta) return CNNBLAS_OK;
    return cb_fail(CNNBLAS_INVALID_ARGUMENT,
                   "activation CLIP has alpha %g and beta %g; alpha, the lower bound, must be below beta", a->alpha,
                   a->beta);
  }
  if (a->beta != 0) return cb_fail(CNNBLAS_INVALID_ARGUMENT, "activation %s has beta %g; it must be 0", name, a->beta);
  if (a->kind == CNNBLAS_LEAKY_RELU || a->kind == CNNBLAS_ELU) {
    if (a->alpha >= 0 && !isinf(a->alpha)) return CNNBLAS_OK;
    return cb_fail(CNNBLAS_INVALID_ARGUMENT, "activation %s has alpha %g; it must be a number of at least 0", name,
                   a->alpha);
  }
  if (a->alpha != 0)
    return cb_fail(CNNBLAS_INVALID_ARGUMENT, "activation %s has alpha %g; it must be 0", name, a->alpha);
  return CNNBLAS_OK;
}

bool cb_activation_needs_x(cnnblas_activation_kind kind)
{
  return kind == CNNBLAS_SWISH || kind == CNNBLAS_HSWISH || kind == CNNBLAS_GELU;
}

cnnblas_status cb_activation_check(const cnnblas_activation *wanted, cnnblas_activation *found)
{
  memset(found, 0, sizeof *found);
  if (!wanted) return CNNBLAS_OK;
  const char *name = cb_activation_name(wanted->kind);
  if (!name) return cb_fail(CNNBLAS_INVALID_ARGUMENT, "activation is %d, which names no activation", (int)wanted->kind);
  for (int i = 0; i < 2; i++)
    if (wanted->reserved[i])
      return cb_fail(CNNBLAS_INVALID_ARGUMENT, "activation.reserved[%d] is %lld; it must be 0", i,
                     (long long)wanted->reserved[i]);
  cnnblas_status status = check_parameters(wanted);
  if (status) return status;
  *found = *wanted;
  if (found->kind == CNNBLAS_LEAKY_RELU && found->alpha == 0) found->alpha = 0.01;
  if (found->kind == CNNBLAS_ELU && found->alpha == 0) found->alpha = 1;
  return CNNBLAS_OK;
}
