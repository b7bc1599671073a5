/*
 * The layers around the convolution, forward and backward, in plain NCHW arrays: activations, pooling, the fully
 * connected layer, losses, tables of selected input maps, initialisation and the optimiser. The convolution is conv.h.
 *
 *   cnnblas_pool_desc pool = {.n = 64, .c = 8, .size = {24, 24}, .kernel = {2, 2}};
 *   cnnblas_pool_forward(&pool, 64, x, y, indices);
 *
 * Legend: n images, c channels, d h w input size, oh ow output size, f a layer's function.
 *
 * All arrays are contiguous, of the descriptor's dtype (f32 or f64), aligned to their element, no more; nothing outside
 * them is read or written. In a descriptor zero means the usual default; reserved tails must be zero. Every call is
 * thread safe as long as calls at the same time write to distinct arrays. `threads` is an upper bound, 0 means one a
 * core (1 inside a parallel region of the caller's); see "Threads" in conv.h. Bits do not depend on the number of
 * threads. NaN and Inf propagate.
 * A pooling call takes less than 64 KiB of a thread's stack, the others as conv.h says. On an error the outputs are untouched; a
 * sentence that names the field waits in cnnblas_last_error().
 */
#ifndef CNNBLAS_LAYERS_H
#define CNNBLAS_LAYERS_H

#include <cnnblas/conv.h>
#include <cnnblas/status.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- activation ---- */

/** One activation layer. */
typedef struct cnnblas_activation_desc {
  cnnblas_dtype dtype;         /* the type of all arrays; default f32 */
  int32_t threads;             /* the most threads of a call; 0 means the default */
  cnnblas_activation function; /* which, with its parameters; default identity: y is a copy of x */
  int64_t reserved[4];         /* for later fields: its elements must be 0 */
} cnnblas_activation_desc;

/** Sets every field to zero, the defaults. NULL is ignored. */
CNNBLAS_API void cnnblas_activation_desc_init(cnnblas_activation_desc *desc);

/**
 * y[i] = f(x[i]) for i < count. y may be x; it must not overlap it otherwise.
 * Every function is within 4 units in the last place of the dtype, relative to the exact value.
 * Returns CNNBLAS_OK, CNNBLAS_INVALID_ARGUMENT or CNNBLAS_UNSUPPORTED (reserved dtype).
 */
CNNBLAS_API cnnblas_status cnnblas_activation_forward(const cnnblas_activation_desc *desc, int64_t count, const void *x,
                                                      void *y);

/**
 * dx[i] = dy[i] * f'(x[i]), with f' computed from the forward result y[i] = f(x[i]) where the function allows it.
 *
 * x   read by the functions whose gradient needs x (activation.h); NULL for the others will do. If given it may be y
 * y   read by the others; NULL will do for those whose gradient needs x
 * dx  may be dy; it must not overlap x, y or dy otherwise
 * Errors as cnnblas_activation_forward.
 */
CNNBLAS_API cnnblas_status cnnblas_activation_backward(const cnnblas_activation_desc *desc, int64_t count,
                                                       const void *x, const void *y, const void *dy, void *dx);

/* ---- pooling ---- */

/** What a pooling window becomes. */
typedef enum cnnblas_pool_kind {
  CNNBLAS_POOL_MAX = 0, /* the largest element; NaN wins; a tie goes to the first in row-major order */
  CNNBLAS_POOL_AVG = 1, /* y is the mean of the window */
  CNNBLAS_POOL_L2 = 2   /* the square root of the sum of squares; gradient 0 where it is 0; does not overflow inside */
} cnnblas_pool_kind;

/**
 * One pooling layer. Per-axis fields as in cnnblas_conv_desc. Output size of an axis, with e = size + pads - kernel:
 * floor(e / stride) + 1, or with ceil_mode ceil(e / stride) + 1, less one if the last window would begin behind the
 * input and its front padding; a window larger than the padded input by less than a stride then fits once. (No padding: W2 = (W1 - F)/S + 1, D2 = D1.)
 * With dilation the kernel is (kernel - 1) * dilation + 1 here and in the limits of the padding, as in ONNX and PyTorch;
 * every window must take an element of the input.
 *
 * Adaptive pooling (PyTorch's): `output` is the output size, and kernel, stride, padding and the like are 0. Output i of an
 * axis takes elements floor(i * size / output) to ceil((i + 1) * size / output) - 1. Global pooling: output = {1, 1}.
 *
 * The average divides by the number of real elements in the window, or with count_include_pad by that of all elements
 * of the window that lie inside the padded input.
 */
typedef struct cnnblas_pool_desc {
  cnnblas_dtype dtype;       /* the type of all arrays; default f32 */
  cnnblas_pool_kind kind;    /* what a window becomes; default max */
  int32_t rank;              /* spatial axes, 1 to 3; 0 means 2 */
  int32_t ceil_mode;         /* 1: round the output size up */
  int32_t count_include_pad; /* 1: the average counts padding; average only */
  int32_t threads;           /* the most threads of a call; 0 means the default */
  int64_t n;                 /* images, the largest batch; 0 is an empty batch */
  int64_t c;                 /* channels, in and out */
  int64_t size[3];           /* size of each axis of the input, in elements */
  int64_t kernel[3];         /* window size F; 0 with adaptive pooling */
  int64_t stride[3];         /* S; all 0 means the window's size */
  int64_t pad_begin[3];      /* elements added in front of each axis, 0 to (kernel - 1) * dilation */
  int64_t pad_end[3];        /* elements added behind each axis, 0 to (kernel - 1) * dilation */
  int64_t dilation[3];       /* elements from one of a window's to the next; all 0 means 1 */
  int64_t output[3];         /* adaptive pooling: the output size; all 0 means that it follows from the windows */
  int64_t reserved[2];       /* for later fields: its elements must be 0 */
} cnnblas_pool_desc;

/** Sets every field to zero, the defaults. NULL is ignored. */
CNNBLAS_API void cnnblas_pool_desc_init(cnnblas_pool_desc *desc);

/** The sizes that follow from a descriptor, in elements. */
typedef struct cnnblas_pool_shape {
  int64_t out[3];      /* output size of each axis, 0 beyond the rank */
  int64_t x_elements;  /* elements of the input: n * c * h * w */
  int64_t y_elements;  /* elements of the output: n * c * oh * ow */
  int64_t reserved[4]; /* for later fields: the library writes zeros */
} cnnblas_pool_shape;

/**
 * Validates desc and fills shape.
 * Returns CNNBLAS_OK, CNNBLAS_INVALID_ARGUMENT, CNNBLAS_UNSUPPORTED (reserved dtype; a channel of 2^31 elements or
 * more, which the indices could not name) or CNNBLAS_SIZE_OVERFLOW.
 */
CNNBLAS_API cnnblas_status cnnblas_pool_get_shape(const cnnblas_pool_desc *desc, cnnblas_pool_shape *shape);

/**
 * y[in][ic][i][j] = max, mean or L2 norm of x[in][ic][i*stride - pad + u*dilation][j*stride - pad + v*dilation] over u, v < F.
 *
 * n        images in this call, 0 to desc->n
 * x        [n][c][h][w]
 * y        [n][c][oh][ow], written; must not overlap x
 * indices  [n][c][oh][ow], max only: each maximum's place in its channel, (row * w + column); always the place of a
 *          real element. NULL if not wanted; must be NULL for the other kinds.
 * Errors as cnnblas_pool_get_shape.
 */
CNNBLAS_API cnnblas_status cnnblas_pool_forward(const cnnblas_pool_desc *desc, int64_t n, const void *x, void *y,
                                                int32_t *indices);

/**
 * dx = the error dy upsampled: routed to each maximum, spread evenly for the average, times x / y for L2. Windows that
 * overlap add up, in an order that the shape fixes; positions that no window takes become exactly 0, written.
 *
 * x, y     the forward call's arrays, for L2; may be NULL for the others
 * dy       [n][c][oh][ow]
 * indices  what the forward call saved, for max; NULL for the others. An index outside its channel is an error that is
 *          found before dx is written.
 * dx       [n][c][h][w], written; must not overlap an input
 */
CNNBLAS_API cnnblas_status cnnblas_pool_backward(const cnnblas_pool_desc *desc, int64_t n, const void *x, const void *y,
                                                 const void *dy, const int32_t *indices, void *dx);

/* ---- fully connected ---- */

/** One fully connected layer. */
typedef struct cnnblas_fc_desc {
  cnnblas_dtype dtype; /* the type of all arrays; default f32 */
  int32_t threads;     /* the most threads of a call; 0 means the default */
  int64_t n;           /* the largest batch, in images */
  int64_t in;          /* inputs of an image (c * h * w of an NCHW array, as it lies) */
  int64_t out;         /* outputs of an image */
  int64_t reserved[8]; /* for later fields: its elements must be 0 */
} cnnblas_fc_desc;

/** Sets every field to zero. NULL is ignored. */
CNNBLAS_API void cnnblas_fc_desc_init(cnnblas_fc_desc *desc);

/**
 * y[in][o] = activation(bias[o] + sum over i of x[in][i] * w[o][i]).
 *
 * n           images in this call, 0 to desc->n
 * x           [n][in]
 * w           [out][in]
 * bias        [out], or NULL
 * activation  any (activation.h), or NULL for the identity; all but RELU cost a pass over y
 * y           [n][out], written; must not overlap an input
 *
 * The weights are read as they lie, nothing is allocated. One image's result does not depend on the batch it came in.
 * Returns CNNBLAS_OK, CNNBLAS_INVALID_ARGUMENT, CNNBLAS_UNSUPPORTED (reserved dtype) or
 * CNNBLAS_SIZE_OVERFLOW.
 */
CNNBLAS_API cnnblas_status cnnblas_fc_forward(const cnnblas_fc_desc *desc, int64_t n, const void *x, const void *w,
                                              const void *bias, const cnnblas_activation *activation, void *y);

/** dx[in][i] = sum over o of dy[in][o] * w[o][i]. dx [n][in] is written; it must not overlap an input. */
CNNBLAS_API cnnblas_status cnnblas_fc_backward_data(const cnnblas_fc_desc *desc, int64_t n, const void *dy,
                                                    const void *w, void *dx);

/**
 * dw[o][i] = sum over in of dy[in][o] * x[in][i];  db[o] = sum over in of dy[in][o].
 * dw [out][in] and db [out] (NULL if not wanted) are written. An empty batch gives zeros.
 */
CNNBLAS_API cnnblas_status cnnblas_fc_backward_weights(const cnnblas_fc_desc *desc, int64_t n, const void *x,
                                                       const void *dy, void *dw, void *db);

/* ---- losses ---- */

/** How the losses of the images become one number. */
typedef enum cnnblas_reduction {
  CNNBLAS_REDUCTION_MEAN =
      1, /* softmax: the sum divided by the images that count, each by its label's weight; sigmoid: by images * classes */
  CNNBLAS_REDUCTION_SUM = 2 /* the sum itself; there is no default: 0 is an error */
} cnnblas_reduction;

/** One loss. An image has one label, or one target a class; with `pixels` each of its pixels has (segmentation). Where a comment says
    [n][classes] arrays are then [n][classes][pixels], where it says [n] they are [n][pixels], and "image" means a pixel. */
typedef struct cnnblas_loss_desc {
  cnnblas_dtype dtype;         /* the type of all arrays; default f32 */
  cnnblas_reduction reduction; /* how the images' losses are joined; must be given */
  int64_t n;                   /* the largest batch, in images */
  int64_t classes;             /* logits of an image */
  int32_t threads;             /* the most threads of a call; 0 means the default */
  int32_t ignore;              /* 1: images labelled ignore_index do not count; softmax and top-k alone */
  double label_smoothing;      /* share of the target that is spread evenly over all classes, 0 to 1; softmax alone */
  const void *class_weights;   /* [classes] of the dtype, finite and not negative; NULL means 1; read during the call */
  int32_t ignore_index;        /* any number, in or out of the classes; must be 0 if `ignore` is */
  int32_t pixels;              /* pixels of an image that each have a label or targets; 0 means 1 */
  int32_t reserved[10];        /* for later fields: its elements must be 0 */
} cnnblas_loss_desc;

/** Sets every field to zero; reduction and sizes remain to be given. NULL is ignored. */
CNNBLAS_API void cnnblas_loss_desc_init(cnnblas_loss_desc *desc);

/**
 * Softmax cross-entropy on logits, as PyTorch defines it. With p the softmax of z[in], t = label[in], w the class weights and
 * e = label_smoothing / classes, image in has
 *
 *   loss   (1 - label_smoothing) w[t] (-log p[t]) + e * sum over j of w[j] (-log p[j])
 *   dz[j]  (1 - label_smoothing) w[t] (p[j] - (j == t)) + e * (p[j] * (sum over l of w[l]) - w[j])
 *
 * and the loss is their sum; for the mean both are divided by the sum of w[label[in]]. Images that are ignored have loss 0 and
 * dz 0, and are left out of that divisor; where no image counts the loss is 0. Finite for any finite logits whose differences are
 * finite: the largest logit is subtracted first. A logit of +Inf or NaN makes its image's loss and dz NaN, and so the
 * sum; one of -Inf has p = 0, and a loss of +Inf only if its class is the label or has a share of the smoothed target.
 *
 * z              [n][classes]
 * labels         [n], each 0 to classes - 1, or ignore_index: another is an error
 * loss           one number, summed in double, in an order that the shape fixes; NULL if not wanted; must not overlap an array
 * dz             [n][classes], NULL if not wanted; may be z
 * probabilities  [n][classes], p, of ignored images too; NULL if not wanted; may be z if dz is not
 */
CNNBLAS_API cnnblas_status cnnblas_loss_softmax_cross_entropy(const cnnblas_loss_desc *desc, int64_t n, const void *z,
                                                              const int32_t *labels, double *loss, void *dz,
                                                              void *probabilities);

/**
 * Sigmoid cross-entropy on logits, one independent yes-or-no a class, with w the class weights:
 *   loss = sum of w (max(z, 0) - z * t + log(1 + exp(-|z|))),  dz = w (sigmoid(z) - t),
 * both divided by n * classes for the mean. Finite for all finite logits. A logit of +Inf or -Inf has the limits: sigmoid 1 or 0,
 * loss 0 where that is the target, else +Inf.
 *
 * targets  [n][classes] of the dtype, in [0, 1]: another value is an error
 */
CNNBLAS_API cnnblas_status cnnblas_loss_sigmoid_cross_entropy(const cnnblas_loss_desc *desc, int64_t n, const void *z,
                                                              const void *targets, double *loss, void *dz);

/**
 * *correct = images whose label is among the k largest logits: fewer than k logits are larger than the label's, or as large and
 * of a smaller class. A NaN counts as larger than all others, and a label whose logit is NaN is not among them. Images that are
 * ignored do not count. desc->reduction, label_smoothing and class_weights are not read.
 *
 * k  1 to classes
 */
CNNBLAS_API cnnblas_status cnnblas_top_k_count(const cnnblas_loss_desc *desc, int64_t n, const void *z,
                                               const int32_t *labels, int64_t k, int64_t *correct);

/** p[in][j] = exp(z[in][j]) / sum over l of exp(z[in][l]), z and p [n][classes]. p may be z. desc->reduction is
    ignored. Over another axis: cnnblas_softmax_axis_forward of softmax.h. */
CNNBLAS_API cnnblas_status cnnblas_softmax_forward(const cnnblas_loss_desc *desc, int64_t n, const void *z, void *p);

/* ---- selected input maps ---- */

/**
 * A connection table for a_j = f(sum over i in M_j of a_i * k_ij + b_j): filter ik sees input channel ic where
 * table[ik][ic] is not 0. Writes 0 to the taps of all other pairs; apply it to the weights once and to their gradient
 * after every backward pass.
 *
 * table    [k][c] (c/groups with groups), 0 or 1
 * weights  [k][c][taps], changed in place; taps = r * s
 */
CNNBLAS_API cnnblas_status cnnblas_maps_apply(cnnblas_dtype dtype, int64_t k, int64_t c, int64_t taps,
                                              const uint8_t *table, void *weights);

/* ---- random numbers and initialisation ---- */

/*
 * Random numbers are counter-based (Philox4x32-10, Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC11):
 * number i of stream s under a seed is a function of (seed, s, i) alone, whoever asks, in whatever order.
 */

/** 128 random bits: block `index` of a stream. Philox with key = seed and counter = {index, stream}, low words first. */
CNNBLAS_API void cnnblas_random_bits(uint64_t seed, uint64_t stream, uint64_t index, uint32_t bits[4]);

/** Number `index` of a stream, uniform in [0, 1), a multiple of 2^-53. */
CNNBLAS_API double cnnblas_random_uniform(uint64_t seed, uint64_t stream, uint64_t index);

/** Number `index` of a stream, Gaussian with mean 0 and standard deviation 1 (Box-Muller). */
CNNBLAS_API double cnnblas_random_normal(uint64_t seed, uint64_t stream, uint64_t index);

/** order[0..count) = a random permutation of 0..count-1 (Fisher-Yates). For shuffling: stream = epoch. */
CNNBLAS_API cnnblas_status cnnblas_random_permutation(uint64_t seed, uint64_t stream, int64_t count, int64_t *order);

/** How weights begin. */
typedef enum cnnblas_init {
  CNNBLAS_INIT_HE = 0,         /* Gaussian, standard deviation sqrt(2 / fan_in) */
  CNNBLAS_INIT_HE_FAN_OUT = 1, /* Gaussian, sqrt(2 / fan_out): n counts the output neurons */
  CNNBLAS_INIT_SMALL = 2,      /* Gaussian, standard deviation 0.01 */
  CNNBLAS_INIT_ZERO = 3
} cnnblas_init;

/** How one tensor is to be filled. */
typedef struct cnnblas_init_desc {
  cnnblas_dtype dtype; /* the type of all arrays; default f32 */
  cnnblas_init kind;   /* the rule; default He */
  int64_t fan_in;      /* inputs of one neuron: c/g * r * s, or in; read by INIT_HE, then at least 1 */
  int64_t fan_out;     /* k * r * s / g, or out; read by INIT_HE_FAN_OUT */
  double std;          /* 0 means the kind's own; else replaces it */
  uint64_t seed;       /* the same seed and stream give the same numbers on any number of threads */
  uint64_t stream;     /* the stream of random numbers: each tensor has one of its own */
  int32_t threads;     /* the most threads of a call; 0 means the default */
  int32_t reserved[7]; /* for later fields: its elements must be 0 */
} cnnblas_init_desc;

/** Sets every field to zero. NULL is ignored. */
CNNBLAS_API void cnnblas_init_desc_init(cnnblas_init_desc *desc);

/** w[i] = std * cnnblas_random_normal(seed, stream, i) rounded to the dtype, or 0, for i < count. */
CNNBLAS_API cnnblas_status cnnblas_init_fill(const cnnblas_init_desc *desc, int64_t count, void *w);

/* ---- optimiser ---- */

/** The settings of one SGD step. */
typedef struct cnnblas_sgd_desc {
  cnnblas_dtype dtype; /* the type of all arrays; default f32 */
  int32_t threads;     /* the most threads of a call; 0 means the default */
  double lr;           /* learning rate, at least 0 and finite in the dtype */
  double momentum;     /* share of the last step that is kept: mu, in [0, 1) */
  double weight_decay; /* L2: lambda, at least 0 and finite in the dtype */
  int64_t reserved[4]; /* for later fields: its elements must be 0 */
} cnnblas_sgd_desc;

/** Sets every field to zero. NULL is ignored. */
CNNBLAS_API void cnnblas_sgd_desc_init(cnnblas_sgd_desc *desc);

/**
 * One step of stochastic gradient descent with momentum, as PyTorch defines it, in the dtype's arithmetic:
 *   g' = g + weight_decay * p;  v = momentum * v + g';  p = p - lr * v
 * p, v [count] are changed in place (v begins as zeros; it may be NULL if momentum is 0), g is read; none overlaps.
 */
CNNBLAS_API cnnblas_status cnnblas_sgd_step(const cnnblas_sgd_desc *desc, int64_t count, void *p, const void *g,
                                            void *v);

/** From this epoch on (counted from 0) the learning rate is multiplied by factor. */
typedef struct cnnblas_lr_step {
  int64_t epoch;       /* the first epoch of the new rate, counted from 0 */
  double factor;       /* the rate's factor from then on, finite */
  int64_t reserved[2]; /* for later fields: leave its elements 0, though no call looks */
} cnnblas_lr_step;

/** The learning rate of an epoch: base times the factors of all steps whose epoch is not later. */
CNNBLAS_API double cnnblas_lr_get(double base, const cnnblas_lr_step *steps, int64_t count, int64_t epoch);

#ifdef __cplusplus
}
#endif
#endif
