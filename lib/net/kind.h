/*
 * What a kind of layer is: a row of functions, one file each (kind_NAME.c), in the table of kinds.c. Only parse knows the text;
 * everyone else knows layers by their rows alone.
 */
#ifndef CB_NET_KIND_H
#define CB_NET_KIND_H

#include "net/network.h"
#include "net/text.h"

/* Some images on their way through layers. */
typedef struct cb_net_pass {
  cnnblas_net *net;
  int64_t first, n, slot; /* images, and the region of slots that nobody else has */
  const void *x;          /* the data of these images */
  const int64_t *numbers; /* theirs; or NULL */
  void *workspace;        /* of the thread */
  size_t section;         /* where gradients go: an offset in the block, laid out as the parameters are */
  int32_t threads;        /* of layers that have no plan */
  int64_t from, to;       /* layers whose parameters' gradients are wanted */
  bool training;          /* batch statistics, dropout */
} cb_net_pass;

/* Arrays of a backward step. */
typedef struct {
  const void *const *x;
  const void *y;
  void *dy;        /* may be changed, where the row says so */
  void *const *dx; /* [inputs]; NULL: not wanted, or the same as dy */
  bool parameters; /* their gradients are wanted */
} cb_net_gradients;

enum {
  CB_NET_Y_FREE = 1,       /* its backward step does not read its output: an activation may lie over it */
  CB_NET_JOIN = 2,         /* several inputs, written as branches */
  CB_NET_PASSES = 4,       /* its gradient by each input is that of its output */
  CB_NET_WHOLE = 8,        /* needs all images of the batch */
  CB_NET_FUNCTION = 16,    /* an activation */
  CB_NET_OVER = 32,        /* whose gradient follows from its output: it may lie over its input */
  CB_NET_STORED = 64,      /* and is done by a layer that stores it */
  CB_NET_STORES = 128,     /* its store does a ReLU */
  CB_NET_NORMALISES = 256, /* a shift of its input changes nothing in training */
  CB_NET_MAY_BE_MAX = 512, /* a pool: if it takes maxima, a ReLU's gradient may be made behind it */
  CB_NET_SPLITS = 1024,    /* layers from the first such on see the whole batch at once */
  CB_NET_MAKES_DX = 2048,  /* its gradient by its input is always made: over its output's where it is not wanted */
  CB_NET_IN_PLACE = 8192,  /* in inference it may lie over its input */
  CB_NET_FOLDS = 16384,    /* a normalisation may go into its weights */
  CB_NET_DRAWS = 4096      /* by the images' numbers */
};

struct cb_net_row {
  const char *keyword; /* "CONV", as written */
  const char *name;    /* "conv": of its layers, with their number */
  int traits;
  cnnblas_activation_kind function; /* of an activation */
  /* Reads what stands behind the keyword. NULL: nothing does. */
  bool (*parse)(cb_net_text *text, cb_net_layer *layer);
  /* layer->out, which is layer->in before, from the inputs' shapes. NULL: as its input. */
  cnnblas_status (*shape)(cb_net_layer *layer, const cb_net_shape *inputs, int count);
  /* Plans, flops, kept bytes. NULL: nothing. */
  cnnblas_status (*prepare)(cnnblas_net *net, cb_net_layer *layer);
  /* Adds its tensors: cb_net_add_tensor. NULL: none. */
  void (*parameters)(cnnblas_net *net, cb_net_layer *layer);
  void (*state)(cnnblas_net *net, cb_net_layer *layer);
  cnnblas_status (*forward)(const cb_net_pass *pass, const cb_net_layer *layer, const void *const *x, void *y);
  cnnblas_status (*backward)(const cb_net_pass *pass, const cb_net_layer *layer, const cb_net_gradients *g);
  /* The words behind the keyword, with defaults filled in. NULL: none. */
  void (*describe)(const cb_net_layer *layer, char *kind, char *detail, size_t size);
};

/* A value's array for the images of a pass. */
static inline void *cb_net_value(const cb_net_pass *pass, int64_t value)
{
  const cb_net_layer *l = cb_design_producer(&pass->net->design, value);
  return l ? cb_net_output(pass->net, l, pass->first, pass->slot)
           : (void *)(uintptr_t)pass->x; /* nobody writes the data */
}

#endif
