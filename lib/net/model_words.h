/* What model files call things; the list of the metadata's keys is in cnnblas/net_model.h. */
#ifndef CB_NET_MODEL_WORDS_H
#define CB_NET_MODEL_WORDS_H

#include "net/network.h"

enum { CB_MODEL_FORMAT = 1, CB_MODEL_MOST_HEADER = 100000000 /* the most bytes of JSON that are read and written */ };

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
