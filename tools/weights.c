/* Copies of a network's tensors; see weights.h. */
#include "weights.h"
#include "io/system.h"
#include <string.h>
#include <zlib.h>

static size_t tensor_bytes(const cnnblas_net_tensor *t)
{
  return (size_t)t->elements * (t->dtype == CNNBLAS_F64 ? sizeof(double) : sizeof(float));
}

bool weights_make(weights *w, const cnnblas_net *net)
{
  cnnblas_net_info info;
  cnnblas_net_get_info(net, &info);
  *w = (weights){.count = info.tensors, .values = io_alloc_zeroed((size_t)info.tensors, sizeof *w->values)};
  bool room = w->values;
  for (int64_t i = 0; i < w->count && room; i++) {
    cnnblas_net_tensor t;
    cnnblas_net_get_tensor(net, i, &t);
    room = (w->values[i] = io_alloc_zeroed(1, tensor_bytes(&t)));
  }
  if (!room) weights_free(w);
  return room;
}

void weights_take(weights *w, const cnnblas_net *net)
{
  for (int64_t i = 0; i < w->count; i++) {
    cnnblas_net_tensor t;
    cnnblas_net_get_tensor(net, i, &t);
    memcpy(w->values[i], t.value, tensor_bytes(&t));
  }
}

void weights_put(const weights *w, cnnblas_net *net)
{
  for (int64_t i = 0; i < w->count; i++) {
    cnnblas_net_tensor t;
    cnnblas_net_get_tensor(net, i, &t);
    memcpy(t.value, w->values[i], tensor_bytes(&t));
  }
}

uint32_t weights_checksum(const cnnblas_net *net)
{
  cnnblas_net_info info;
  uLong sum = 0;
  cnnblas_net_get_info(net, &info);
  for (int64_t i = 0; i < info.tensors; i++) {
    cnnblas_net_tensor t;
    cnnblas_net_get_tensor(net, i, &t);
    sum = crc32_z(sum, t.value, tensor_bytes(&t));
  }
  return (uint32_t)sum;
}

void weights_free(weights *w)
{
  for (int64_t i = 0; i < w->count && w->values; i++) io_free(w->values[i]);
  io_free(w->values);
  *w = (weights){0};
}
