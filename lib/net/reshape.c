/* A network made anew for images of another size. */
#include "base/shared.h"
#include "net/input_text.h"
#include "net/network.h"
#include "net/text.h"
#include <string.h>

static cnnblas_status check_tensors(const cnnblas_net *from, const cnnblas_net *to)
{
  const int64_t count = from->param_count + from->state_count, other = to->param_count + to->state_count;
  if (from->param_count != to->param_count || count != other)
    return cnnblas_shared_fail(CNNBLAS_INVALID_ARGUMENT,
                               "for images of this size the network would have %lld tensors, not %lld",
                               (long long)other, (long long)count);
  for (int64_t i = 0; i < count; i++) {
    const cb_net_param *a = &from->params[i], *b = &to->params[i];
    if (strcmp(a->name, b->name) != 0)
      return cnnblas_shared_fail(CNNBLAS_INVALID_ARGUMENT,
                                 "for images of this size the network would have %s in place of %s", b->name, a->name);
    if (memcmp(a->shape, b->shape, sizeof a->shape) != 0)
      return cnnblas_shared_fail(CNNBLAS_INVALID_ARGUMENT,
                                 "for images of this size %s would have %lld elements, not %lld", a->name,
                                 (long long)b->elements, (long long)a->elements);
  }
  return CNNBLAS_OK;
}

/* Copies a section of the block, if the networks have it. */
static void copy(cnnblas_net *to, size_t place_to, const cnnblas_net *from, size_t place_from, int64_t elements)
{
  memcpy(cb_net_at(to, place_to), cb_net_at(from, place_from), (size_t)elements * from->element);
}

static void copy_arrays(cnnblas_net *to, const cnnblas_net *from)
{
  const cb_net_layout *a = &from->layout, *b = &to->layout;
  copy(to, b->values, from, a->values, from->param_elements);
  copy(to, b->states, from, a->states, from->state_elements);
  if (from->options.mode != CNNBLAS_NET_TRAINING) return;
  copy(to, b->momentum, from, a->momentum, from->param_elements);
  if (from->options.optimiser == CNNBLAS_NET_ADAMW) copy(to, b->second, from, a->second, from->param_elements);
  if (from->options.average) copy(to, b->average, from, a->average, from->param_elements);
}

/* Makes the network for the new size; an inference network that reads packed weights packs them. */
static cnnblas_status make(const cnnblas_net *net, const int64_t *size, cnnblas_net **made)
{
  cnnblas_net_options o = net->options;
  char *text = cb_text_with_input(net->text, net->design.rank, net->design.input.c, size);
  if (!text) return cnnblas_shared_no_memory(strlen(net->text), "the network's text");
  o.c = 0;
  memset(o.size, 0, sizeof o.size);
  o.classes = net->classes;
  cnnblas_status status = cnnblas_net_create(text, &o, made);
  cnnblas_shared_free(text);
  if (!status) status = check_tensors(net, *made);
  if (status || !net->block) return status;
  copy_arrays(*made, net);
  return net->packed ? cnnblas_net_pack_weights(*made) : CNNBLAS_OK;
}

cnnblas_status cnnblas_net_reshape(cnnblas_net *net, const int64_t *size)
{
  cnnblas_net *made = NULL;
  cnnblas_status status = cb_net_check(net, false);
  if (!status && !size) status = cnnblas_shared_fail(CNNBLAS_INVALID_ARGUMENT, "size is NULL");
  for (int i = 0; !status && i < net->design.rank; i++)
    if (size[i] < 1 || size[i] > CB_NET_MAX_NUMBER)
      status = cnnblas_shared_fail(CNNBLAS_INVALID_ARGUMENT, "size[%d] is %lld; it must be 1 to %d", i,
                                   (long long)size[i], CB_NET_MAX_NUMBER);
  if (!status) status = make(net, size, &made);
  if (status) {
    cnnblas_net_destroy(made);
    return status;
  }
  made->steps = net->steps;
  made->norm = net->norm;
  made->class_names = net->class_names;
  net->class_names = NULL;
  cnnblas_net swap = *net; /* the caller's pointer stays */
  *net = *made;
  *made = swap;
  cnnblas_net_destroy(made);
  return CNNBLAS_OK;
}
