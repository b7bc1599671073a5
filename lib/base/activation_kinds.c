/* The list of activation functions; see activation_kinds.h. */
#include "base/activation_kinds.h"
#include "base/status.h"
#include <math.h>
#include <stddef.h>
#include <string.h>

enum { KINDS = CNNBLAS_GELU + 1 };

static const struct {
  const char *name;
  int there; /* 0: reserved for a later version */
} kinds[KINDS] = {
    [CNNBLAS_IDENTITY] = {"IDENTITY", 1}, [CNNBLAS_RELU] = {"RELU", 1},       [CNNBLAS_LEAKY_RELU] = {"LEAKY_RELU", 1},
    [CNNBLAS_CLIP] = {"CLIP", 1},         [CNNBLAS_SIGMOID] = {"SIGMOID", 1}, [CNNBLAS_TANH] = {"TANH", 1},
    [CNNBLAS_ELU] = {"ELU", 0},           [CNNBLAS_SELU] = {"SELU", 0},       [CNNBLAS_SOFTPLUS] = {"SOFTPLUS", 0},
    [CNNBLAS_HSIGMOID] = {"HSIGMOID", 0}, [CNNBLAS_SWISH] = {"SWISH", 0},     [CNNBLAS_HSWISH] = {"HSWISH", 0},
    [CNNBLAS_GELU] = {"GELU", 0},
};

void cnnblas_activation_init(cnnblas_activation *activation)
{
  if (activation) memset(activation, 0, sizeof *activation);
}

const char *cb_activation_name(cnnblas_activation_kind kind)
{
  return (int)kind >= 0 && (int)kind < KINDS ? kinds[kind].name : NULL;
}

static cnnblas_status check_parameters(const cnnblas_activation *a)
{
  const char *name = kinds[a->kind].name;
  if (a->kind == CNNBLAS_CLIP) {
    if (a->alpha < a->beta) return CNNBLAS_OK;
    return cb_fail(CNNBLAS_INVALID_ARGUMENT,
                   "activation CLIP has alpha %g and beta %g; alpha, the lower bound, must be below beta", a->alpha,
                   a->beta);
  }
  if (a->beta != 0) return cb_fail(CNNBLAS_INVALID_ARGUMENT, "activation %s has beta %g; it must be 0", name, a->beta);
  if (a->kind == CNNBLAS_LEAKY_RELU) {
    if (a->alpha >= 0 && !isinf(a->alpha)) return CNNBLAS_OK;
    return cb_fail(CNNBLAS_INVALID_ARGUMENT, "activation LEAKY_RELU has alpha %g; it must be a number of at least 0",
                   a->alpha);
  }
  if (a->alpha != 0)
    return cb_fail(CNNBLAS_INVALID_ARGUMENT, "activation %s has alpha %g; it must be 0", name, a->alpha);
  return CNNBLAS_OK;
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
  if (!kinds[wanted->kind].there)
    return cb_fail(CNNBLAS_UNSUPPORTED, "activation %s is not there yet; a later version brings it", name);
  cnnblas_status status = check_parameters(wanted);
  if (status) return status;
  *found = *wanted;
  if (found->kind == CNNBLAS_LEAKY_RELU && found->alpha == 0) found->alpha = 0.01;
  return CNNBLAS_OK;
}
