/*
 * What a kind of layer is: a row of functions, one file each (kind_NAME.c), in the table of kinds.c. Only parse knows
 * the text; all other code knows layers by their rows alone.
 */
#ifndef CB_NET_KIND_H
#define CB_NET_KIND_H

#include "net/network.h"
#include "net/text.h"

/* A pass of some images through layers, on one thread or several. */
typedef struct cb_net_pass {
  cnnblas_net *net;
  int64_t first, n, slot; /* the images [first, first + n), and the region of slots that no other pass uses now */
  const void *x;          /* the data of these images */
  const int64_t *numbers; /* the images' numbers; or NULL */
  void *workspace;        /* the thread's workspace */
  size_t section;         /* offset in the block of the gradients, which are laid out as the parameters are */
  int32_t threads;        /* the most threads of layers that have no plan */
  int64_t from, to;       /* the layers [from, to) whose parameters' gradients are wanted */
  bool training;          /* true: layers use the batch's statistics, and DROPOUT drops */
} cb_net_pass;

/* The arrays of a layer's backward step. */
typedef struct {
  const void *const *x;
  const void *y;
  void *dy;        /* the output's gradient, which a layer may change where its row says so */
  void *const *dx; /* [inputs], the inputs' gradients; NULL: not wanted, or the same as dy */
  bool parameters; /* true: the parameters' gradients are wanted */
} cb_net_gradients;

enum {
  CB_NET_Y_FREE = 1,       /* the backward step does not read the layer's output: an activation may lie over it */
  CB_NET_JOIN = 2,         /* the layer has several inputs, written as branches */
  CB_NET_PASSES = 4,       /* the gradient by each input equals the output's */
  CB_NET_WHOLE = 8,        /* the layer needs all images of the batch in one call */
  CB_NET_FUNCTION = 16,    /* the layer is an activation */
  CB_NET_OVER = 32,        /* the activation's gradient follows from its output: it may lie over its input */
  CB_NET_STORED = 64,      /* the activation may be done in the store of the layer before it */
  CB_NET_STORES = 128,     /* the layer's store can do a ReLU */
  CB_NET_NORMALISES = 256, /* a shift of the layer's input changes nothing in training */
  CB_NET_MAY_BE_MAX = 512, /* the layer is a pool: if it takes maxima, a ReLU's gradient may be made behind it */
  CB_NET_SPLITS = 1024,    /* layers from the first such one on see the whole batch at once */
  CB_NET_MAKES_DX = 2048,  /* the input's gradient is always made: over the output's where it is not wanted */
  CB_NET_IN_PLACE = 8192,  /* in inference the layer's output may lie over its input */
  CB_NET_SEGMENTS = 65536, /* the parameters' gradients may be made from parts of the batch, without dx */
  CB_NET_MASKS = 32768,    /* the backward step makes the gradient of a ReLU in the layer's store too */
  CB_NET_FOLDS = 16384,    /* a normalisation may go into the layer's weights */
  CB_NET_DRAWS = 4096      /* the layer draws at random, by the images' numbers */
};

struct cb_net_row {
  const char *keyword;              /* the word in the text, "CONV" */
  const char *name;                 /* what layers are called, with their number: "conv" */
  int traits;                       /* a sum of the constants above */
  cnnblas_activation_kind function; /* an activation's function */
  /* Reads what stands behind the keyword. NULL: nothing stands there. */
  bool (*parse)(cb_net_text *text, cb_net_layer *layer);
  /* Fills layer->out, which is layer->in before, from the inputs' shapes. NULL: the output has the input's shape. */
  cnnblas_status (*shape)(cb_net_layer *layer, const cb_net_shape *inputs, int count);
  /* Makes the layer's plans and counts its flops and kept bytes. NULL: there is nothing to do. */
  cnnblas_status (*prepare)(cnnblas_net *net, cb_net_layer *layer);
  /* Adds the layer's trained tensors with cb_net_add_tensor. NULL: it has none. */
  void (*parameters)(cnnblas_net *net, cb_net_layer *layer);
  /* Adds its tensors that are not trained. NULL: it has none. */
  void (*state)(cnnblas_net *net, cb_net_layer *layer);
  cnnblas_status (*forward)(const cb_net_pass *pass, const cb_net_layer *layer, const void *const *x, void *y);
  cnnblas_status (*backward)(const cb_net_pass *pass, const cb_net_layer *layer, const cb_net_gradients *g);
  /* Writes the words behind the keyword, with defaults filled in. NULL: there are none. */
  void (*describe)(const cb_net_layer *layer, char *kind, char *detail, size_t size);
};

/* True for a pass that makes the gradients themselves; false: a part of them, which is added later. */
static inline bool cb_net_is_whole(const cb_net_pass *pass)
{
  return pass->section == pass->net->layout.gradients;
}

/* The array of a value for the images of a pass. */
static inline void *cb_net_value(const cb_net_pass *pass, int64_t value)
{
  const cb_net_layer *l = cb_design_producer(&pass->net->design, value);
  return l ? cb_net_output(pass->net, l, pass->first, pass->slot)
           : (void *)(uintptr_t)pass->x; /* no layer writes the data */
}

#endif
