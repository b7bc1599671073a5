/* Passes in parts of the batch. */
#ifndef CB_NET_IN_PARTS_H
#define CB_NET_IN_PARTS_H

#include "net/kind.h"

typedef struct {
  cnnblas_net *net;
  int64_t n, count; /* number of images and of parts */
  const char *x;
  const int64_t *numbers; /* the images' numbers, or NULL */
  const int32_t *labels;
  bool training;          /* true: forward, loss and backward; false: only layers [0, split), forward */
  double *losses;         /* [count], the sum of each part's losses */
  _Atomic int64_t failed; /* one of the parts that failed, or CB_NET_NONE */
} cb_net_parts_run;

/* The pass of part `index` as a worker of cb_net_workers runs it. */
cb_net_pass cb_net_part(const cb_net_parts_run *all, int64_t index, int worker);

cnnblas_status cb_net_run_parts(cb_net_parts_run *all);

/* Adds up the gradients that `count` parts of n images left: in their order, or, as segments, in the tree. */
void cb_net_sum_parts(const cnnblas_net *net, int64_t count, int64_t n);

/* Adds up the parts' losses likewise; they are not to be read afterwards. */
double cb_net_sum_part_losses(const cb_net_parts_run *all);

#endif
