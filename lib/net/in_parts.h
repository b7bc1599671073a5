/* Passes in parts of the batch. */
#ifndef CB_NET_IN_PARTS_H
#define CB_NET_IN_PARTS_H

#include "net/kind.h"

typedef struct {
  cnnblas_net *net;
  int64_t n, count; /* images, parts */
  const char *x;
  const int64_t *numbers; /* or NULL */
  const int32_t *labels;
  bool training;          /* forward, loss and backward; else forward through [0, split) only */
  double *losses;         /* [count], each a part's sum */
  _Atomic int64_t failed; /* one of the parts that did, or CB_NET_NONE */
} cb_net_parts_run;

/* Part `index` on its way, as a worker of cb_net_workers takes it. */
cb_net_pass cb_net_part(const cb_net_parts_run *all, int64_t index, int worker);

cnnblas_status cb_net_run_parts(cb_net_parts_run *all);

/* Adds up the gradients that `count` parts left, in their order. */
void cb_net_sum_parts(const cnnblas_net *net, int64_t count);

#endif
