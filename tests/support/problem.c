/* Sizes and text of problems; see problem.h. */
#include "support/problem.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

void problem_finish(problem *p)
{
  const cnnblas_conv_desc *d = &p->desc;
  p->rank = d->rank ? d->rank : 2;
  p->element = d->dtype == CNNBLAS_F64 ? 8 : 4;
  p->n = d->n;
  p->c = d->c;
  p->k = d->k;
  p->g = d->groups ? d->groups : 1;
  p->cg = p->c / p->g;
  p->kg = p->k / p->g;
  p->image = p->filter = p->pixels = 1;
  for (int i = 0; i < 3; i++) {
    int a = i - (3 - p->rank); /* axis of the descriptor */
    p->in[i] = a < 0 ? 1 : d->size[a];
    p->taps[i] = a < 0 ? 1 : d->kernel[a];
    p->stride[i] = a < 0 || d->stride[a] == 0 ? 1 : d->stride[a];
    p->dilation[i] = a < 0 || d->dilation[a] == 0 ? 1 : d->dilation[a];
    p->begin[i] = a < 0 ? 0 : d->pad_begin[a];
    int64_t end = a < 0 ? 0 : d->pad_end[a], span = p->dilation[i] * (p->taps[i] - 1) + 1;
    p->out[i] = (p->in[i] + p->begin[i] + end - span) / p->stride[i] + 1;
    p->image *= p->in[i];
    p->filter *= p->taps[i];
    p->pixels *= p->out[i];
  }
  p->x_elements = p->n * p->c * p->image;
  p->w_elements = p->k * p->cg * p->filter;
  p->y_elements = p->n * p->k * p->pixels;
}

int64_t problem_outputs(const problem *p, cnnblas_conv_direction direction, int64_t n)
{
  if (direction == CNNBLAS_FORWARD) return n * p->k * p->pixels;
  return direction == CNNBLAS_BACKWARD_DATA ? n * p->c * p->image : p->w_elements;
}

int64_t problem_terms(const problem *p, cnnblas_conv_direction direction, int64_t n)
{
  if (direction == CNNBLAS_FORWARD) return p->cg * p->filter;
  return direction == CNNBLAS_BACKWARD_DATA ? p->kg * p->filter : n * p->pixels;
}

double problem_macs(const problem *p)
{
  return (double)(p->n ? p->n : 1) * (double)p->k * (double)p->pixels * (double)p->cg * (double)p->filter;
}

static size_t list(char *text, size_t used, const char *label, const int64_t *values, int rank)
{
  for (int i = 0; i < rank; i++)
    used += (size_t)snprintf(text + used, PROBLEM_TEXT - used, "%s%" PRId64, i ? "x" : label, values[i]);
  return used;
}

void problem_text(const problem *p, char text[PROBLEM_TEXT])
{
  const cnnblas_conv_desc *d = &p->desc;
  int skip = 3 - p->rank;
  size_t used = (size_t)snprintf(text, PROBLEM_TEXT, "%s %s n%" PRId64 " c%" PRId64 " k%" PRId64 " g%" PRId64,
                                 p->element == 8 ? "f64" : "f32", d->mode == CNNBLAS_TRUE_CONVOLUTION ? "conv" : "corr",
                                 p->n, p->c, p->k, p->g);
  used = list(text, used, " in ", p->in + skip, p->rank);
  used = list(text, used, " kernel ", p->taps + skip, p->rank);
  used = list(text, used, " stride ", p->stride + skip, p->rank);
  used = list(text, used, " dilation ", p->dilation + skip, p->rank);
  used = list(text, used, " pad ", d->pad_begin, p->rank);
  used = list(text, used, " ", d->pad_end, p->rank);
  list(text, used, " out ", p->out + skip, p->rank);
}
