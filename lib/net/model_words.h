/* What model files call things; the list of the metadata's keys is in cnnblas/net_model.h. */
#ifndef CB_NET_MODEL_WORDS_H
#define CB_NET_MODEL_WORDS_H

#include "net/network.h"

enum { CB_MODEL_FORMAT = 1, CB_MODEL_MOST_HEADER = 100000000 /* the most bytes of JSON that are read and written */ };

/* Copies the names of the first `count` classes, at most as many as there are; fails on one that is none. */
cnnblas_status cb_net_keep_names(cnnblas_net *net, const char *const *names, int64_t count);

/* The losses' names, by their numbers. */
#define CB_MODEL_LOSSES                                                                                                \
  {                                                                                                                    \
    "softmax", "sigmoid"                                                                                               \
  }

/* The name of a tensor's type. */
static inline const char *cb_model_dtype(cnnblas_dtype dtype)
{
  return dtype == CNNBLAS_F64 ? "F64" : "F32";
}

#endif
