/*
 * Convolution in the three directions that training needs, in plain NCHW arrays.
 *
 * The shortest way, for one call (the f32 layer: 8 images, 64 channels of 56 x 56, 64 filters of 3 x 3):
 *
 *   cnnblas_conv_desc d = {.n = 8, .c = 64, .k = 64, .size = {56, 56}, .kernel = {3, 3}, .pad_begin = {1, 1}, .pad_end = {1, 1}};
 *   cnnblas_status s = cnnblas_conv_forward_once(&d, x, w, bias, y);
 *   if (s != CNNBLAS_OK) puts(cnnblas_last_error());
 *
 * For many calls, make a plan once and execute it often:
 *
 *   cnnblas_conv_plan *plan;
 *   cnnblas_conv_plan_create(&d, CNNBLAS_FORWARD, NULL, &plan);
 *   size_t bytes = cnnblas_conv_plan_workspace(plan);
 *   void *workspace = malloc(bytes);
 *   cnnblas_conv_forward(plan, 8, x, w, NULL, y, workspace, bytes);
 *   free(workspace);
 *   cnnblas_conv_plan_destroy(plan);
 *
 * The three directions are called forward, backward_data (the gradient with respect to the input x) and
 * backward_weights (the gradient with respect to the weights w, and to the bias).
 *
 * Legend, here and everywhere: n images in the batch, c input channels, d h w input size, k output channels (filters),
 * r s filter height and width, oh ow output size, g groups.
 *
 * Arrays are contiguous, the last index fastest (rank 2; rank 1 has one spatial axis, rank 3 three):
 *   x, dx  [n][c][h][w]      w, dw  [k][c/g][r][s]      y, dy  [n][k][oh][ow]      bias, db  [k]
 * Pointers must be aligned to their element, no more; nothing outside the arrays is read or written.
 *
 * Results: an element is a sum of L products a*b. Every algorithm holds one of two bounds on its error, which
 * cnnblas_conv_algorithm_info names; options.accuracy says which of them the automatic choice may take.
 *   element-wise  L * (u * sum |a||b| + m)
 *   norm-wise     c * (u * |patch| * |filter| + m), c = norm_factor * (16 + min(L/2, 64) + L/64)
 * u = 2^-24 for f32, 2^-53 for f64; m = 2^-149 and 2^-1074, the smallest number above zero, which a product that
 * underflows may miss. |patch| and |filter| are Euclidean norms of the two factors' elements. Forward: the elements of
 * x that the output's taps meet, and the output's filter. backward_data: the elements of dy to which an element of x
 * contributed, and all weights of its channel. backward_weights: the weight's input channel in x and its output channel
 * in dy, both over all images. An algorithm of CNNBLAS_ACCURACY_NORM_RELAXED counts elements up to 3 further out on
 * each axis to the patch. What is added to the sum (an accumulating call's old output, bias, residual) counts to sum
 * |a||b|, and to |patch| * |filter|, with its magnitude.
 * The norm-wise bound is the weaker one where large elements stand beside zeros. Winograd's F(2x2,3x3) adds and
 * subtracts neighbours before it multiplies: where one column of a filter is far larger than the others and x is zero
 * beneath it (padding suffices), what is left of the small columns misses the element-wise bound, from a contrast
 * between the columns of about 150 at 16 channels, 900 at 64 and 5000 at 256.
 * The bits of a result do not depend on the number of threads, and one image's forward result does not depend on the
 * batch it came in. Weight and bias gradients are joined over images and pixels in binary trees that
 * follow the shape, the dtype, the instruction-set level and the workspace limit alone.
 * NaN and Inf propagate; where padding meets an infinite or NaN weight (in backward_weights: element of dy) the result
 * may be either. Zero results may lose their sign.
 * Plans with options.flush_denormals take numbers below 2^-126 (f64: 2^-1022) for zeros wherever they meet them: in the
 * inputs, in products, in sums, in the result. The bound then holds for inputs in which such numbers are zeros, with m
 * = 2^-125 (2^-1021).
 * The processor is told so on the threads of a call while it computes; each has its own setting back before the call
 * returns. "reference" on doubles alone is left as it is: its sums are wider than vectors hold.
 *
 * Threads: a call runs on the calling thread alone or on all threads of its plan. Plans of one number of threads that
 * are called from one thread, outside parallel regions, share one OpenMP team, which the first of these calls creates.
 * That is not promised across plans of different numbers, nor where the caller's own parallel regions of another size
 * come between: OpenMP may then end threads and create them again, which costs a call up to a millisecond.
 *
 * Stack: a call takes less than 256 KiB of the calling thread's stack, and of each thread of its team (OMP_STACKSIZE).
 */
#ifndef CNNBLAS_CONV_H
#define CNNBLAS_CONV_H

#include <cnnblas/activation.h>
#include <cnnblas/status.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { CNNBLAS_MAX_RANK = 3 };

/** The type of all arrays of a descriptor. */
typedef enum cnnblas_dtype {
  CNNBLAS_F32 = 0,
  CNNBLAS_F64 = 1,
  CNNBLAS_BF16 = 2 /* reserved: UNSUPPORTED */
} cnnblas_dtype;

/** The order of the axes in an array. */
typedef enum cnnblas_layout { CNNBLAS_NCHW = 0, CNNBLAS_NHWC = 1 /* reserved: UNSUPPORTED */ } cnnblas_layout;

/** What the word convolution means. */
typedef enum cnnblas_conv_mode {
  CNNBLAS_CROSS_CORRELATION =
      0, /* y[i] = sum over r of x[i*stride - pad + r*dilation] * w[r]: what CNNs call convolution */
  CNNBLAS_TRUE_CONVOLUTION = 1 /* cross-correlation with the filter rotated by 180 degrees: w[R-1-r] */
} cnnblas_conv_mode;

/** What a plan computes. */
typedef enum cnnblas_conv_direction {
  CNNBLAS_FORWARD = 0,         /* the output y from the input x and the weights w */
  CNNBLAS_BACKWARD_DATA = 1,   /* the input's gradient dx from the output's gradient dy and w */
  CNNBLAS_BACKWARD_WEIGHTS = 2 /* the weights' gradient dw, and the bias's db if wanted, from x and dy */
} cnnblas_conv_direction;

/** "forward", "backward_data" or "backward_weights", static storage; NULL for what is no direction: loop from 0 to list
    them. */
CNNBLAS_API const char *cnnblas_conv_direction_name(cnnblas_conv_direction direction);

/**
 * One convolution layer. Zero means the usual default, so {.n = .., .c = .., .k = .., .size = .., .kernel = ..} is
 * enough.
 *
 * Per-axis fields list the axes in the arrays' order: rank 2 is {h, w}, rank 3 {d, h, w}, rank 1 {w}. A field that is
 * given for one axis and left zero for another (stride, dilation, size, kernel), or that is set for an axis beyond the
 * rank, is an error. Padding may be zero on some axes, and differ between the two ends of an axis.
 *
 * Output size of an axis, rounded down: (size + pad_begin + pad_end - (dilation*(kernel-1)+1)) / stride + 1.
 */
typedef struct cnnblas_conv_desc {
  cnnblas_dtype dtype;    /* the type of every array; default f32 */
  cnnblas_layout layout;  /* the order of every array's axes; default NCHW */
  cnnblas_conv_mode mode; /* what convolution means; default cross-correlation */
  int32_t rank;           /* the number of spatial axes, 1 to 3; 0 means 2 */
  int64_t n;       /* the largest batch that the plan will be given, in images. There is no default: left at 0 the batch
                      is empty and nothing is computed; the one-call functions refuse that if given images */
  int64_t c;       /* input channels, at least 1, a multiple of groups */
  int64_t k;       /* output channels, at least 1, a multiple of groups */
  int64_t groups;  /* the number of groups, 0 means 1; groups == c is a depthwise convolution with multiplier k/c */
  int64_t size[3]; /* input size of each axis in elements, at least 1 */
  int64_t kernel[3];    /* filter size of each axis in elements, at least 1 */
  int64_t stride[3];    /* distance of neighbouring windows in elements; all 0 means 1 */
  int64_t dilation[3];  /* distance of neighbouring taps in elements; all 0 means 1 (dense) */
  int64_t pad_begin[3]; /* number of zeros in front of the axis, at least 0 */
  int64_t pad_end[3];   /* number of zeros behind the axis, at least 0 */
  int64_t reserved[8];  /* for later fields: its elements must be 0 */
} cnnblas_conv_desc;

/** Sets every field to zero, the defaults: for languages without designated initialisers. NULL is ignored. */
CNNBLAS_API void cnnblas_conv_desc_init(cnnblas_conv_desc *desc);

/** Where the zeros go that keep the size of an axis: its outputs are then ceil(size / stride). */
typedef enum cnnblas_conv_pad {
  CNNBLAS_PAD_UPPER = 0,    /* as few zeros as will do; the odd one behind the axis: ONNX's SAME_UPPER */
  CNNBLAS_PAD_LOWER = 1,    /* as few zeros as will do; the odd one in front of the axis: ONNX's SAME_LOWER */
  CNNBLAS_PAD_SYMMETRIC = 2 /* the same number of zeros at both ends, the least that will do */
} cnnblas_conv_pad;

/**
 * Sets desc's pad_begin and pad_end, whatever they were, so that every axis keeps its size divided by its stride,
 * rounded up.
 *
 * An axis needs max(0, (ceil(size / stride) - 1) * stride + dilation * (kernel - 1) + 1 - size) zeros, for even
 * filters, strides and dilations too. Where that number is odd, SYMMETRIC takes one more if the stride is above 1,
 * which changes no output size; at stride 1 it would, and the call is refused.
 *
 * Returns CNNBLAS_OK; what cnnblas_conv_get_shape returns of the other fields; CNNBLAS_INVALID_ARGUMENT (null pointer,
 * no such padding, no symmetric padding). On an error desc is untouched. Thread safe.
 */
CNNBLAS_API cnnblas_status cnnblas_conv_pad_same(cnnblas_conv_desc *desc, cnnblas_conv_pad pad);

/** The sizes that follow from a descriptor, in elements. */
typedef struct cnnblas_conv_shape {
  int64_t out[3];        /* output size of each axis, 0 beyond the rank */
  int64_t x_elements;    /* elements of x: n * c * h * w */
  int64_t w_elements;    /* elements of w: k * c/g * r * s */
  int64_t y_elements;    /* elements of y: n * k * oh * ow */
  int64_t bias_elements; /* elements of bias: k */
  double flops;        /* operations of a call: 2 * n * k * oh * ow * c/g * r * s in each direction; padding counted */
  int64_t reserved[8]; /* for later fields: the library writes zeros */
} cnnblas_conv_shape;

/**
 * Validates desc and fills shape. Thread safe.
 * Returns CNNBLAS_OK; CNNBLAS_INVALID_ARGUMENT (null pointer, field out of range, filter larger than the padded input);
 * CNNBLAS_UNSUPPORTED (reserved dtype or layout); CNNBLAS_SIZE_OVERFLOW (an array of more than 2^63 - 1 bytes).
 */
CNNBLAS_API cnnblas_status cnnblas_conv_get_shape(const cnnblas_conv_desc *desc, cnnblas_conv_shape *shape);

/** How much memory a call may need besides its arrays. */
typedef enum cnnblas_workspace_policy {
  CNNBLAS_WORKSPACE_DEFAULT = 0, /* a call takes at most cnnblas_algorithm_info.workspace bytes a thread */
  CNNBLAS_WORKSPACE_LIMIT = 1,   /* a call takes at most options.workspace_limit bytes a thread */
  CNNBLAS_WORKSPACE_NONE = 2     /* a call takes none at all: valid for every shape, slower */
} cnnblas_workspace_policy;

/** How an algorithm is chosen. */
typedef enum cnnblas_effort {
  CNNBLAS_ESTIMATE = 0, /* a cost model chooses, at once; the same algorithm on every run */
  CNNBLAS_MEASURE =
      1 /* the candidates are timed on scratch arrays of the plan's size; the choice may differ between runs */
} cnnblas_effort;

/** Which algorithms the automatic choice, estimated or measured, may take. An algorithm that is asked for by name runs
    whatever its bound. */
typedef enum cnnblas_accuracy_policy {
  CNNBLAS_ACCURACY_DEFAULT = 0, /* algorithms of the element-wise bound, and those of CNNBLAS_ACCURACY_NORM */
  CNNBLAS_ACCURACY_EXACT = 1,   /* only algorithms of the element-wise bound, see above */
  CNNBLAS_ACCURACY_RELAXED = 2  /* every algorithm, those of CNNBLAS_ACCURACY_NORM_RELAXED too */
} cnnblas_accuracy_policy;

/** "default", "exact" or "relaxed", static storage; NULL for what is no policy: loop from 0 to list them. */
CNNBLAS_API const char *cnnblas_accuracy_policy_name(cnnblas_accuracy_policy policy);

/** Choices that were measured, by problem; see cnnblas_wisdom_create. */
typedef struct cnnblas_wisdom cnnblas_wisdom;

/** How a plan is to be made. Zero, or a NULL pointer to the whole, means the defaults. */
typedef struct cnnblas_conv_options {
  const char *algorithm; /* the algorithm: "auto", NULL or a cnnblas_conv_algorithm_name; read by plan_create alone */
  int32_t threads;       /* the most threads of a call; 0 = one a core (the least of affinity, cgroup CPU quota and
                            OMP_NUM_THREADS), 1 inside a parallel region */
  cnnblas_workspace_policy workspace; /* how much workspace a call may take */
  size_t workspace_limit;             /* the most bytes of workspace a thread; only with CNNBLAS_WORKSPACE_LIMIT */
  cnnblas_effort effort;              /* how the algorithm is chosen, where it is "auto" */
  int32_t no_alloc;   /* 1: a call that needs a workspace and gets none is an error; 0: it allocates one */
  int32_t accumulate; /* 1: calls add to the output; 0: they overwrite it without reading it */
  int32_t
      packed_weights; /* 1: the plan takes packed weights, by cnnblas_conv_forward_packed or _backward_data_packed */
  cnnblas_wisdom *wisdom;  /* with effort measure: choices that are looked into first and added to; or NULL */
  int32_t flush_denormals; /* 1: numbers below the least normal one (2^-126; f64: 2^-1022) count as zeros, see above */
  cnnblas_accuracy_policy accuracy; /* which bounds on the error the automatic choice may take */
  int32_t reserved[14];             /* for later fields: its elements must be 0 */
} cnnblas_conv_options;

/** Sets every field to zero, the defaults. NULL is ignored. */
CNNBLAS_API void cnnblas_conv_options_init(cnnblas_conv_options *options);

/**
 * What happens to a forward result before it is stored: y = activation(conv + bias + residual), in that order.
 * The pointers belong to the call, not to the plan, so that one plan serves many layers and threads.
 */
typedef struct cnnblas_conv_epilogue {
  const void *bias;     /* the bias [k], or NULL for none */
  const void *residual; /* what is added, [n][k][oh][ow], or NULL; may be y itself, must not overlap it otherwise */
  cnnblas_activation activation; /* any function; RELU costs nothing, any other a pass over y. A plan
                                    that accumulates refuses all but IDENTITY */
  int64_t reserved[4];           /* for later fields: its elements must be 0 */
} cnnblas_conv_epilogue;

/** Sets every field to zero: nothing happens. NULL is ignored. */
CNNBLAS_API void cnnblas_conv_epilogue_init(cnnblas_conv_epilogue *epilogue);

/** An immutable recipe for one descriptor and direction. Any number of threads may execute one plan at once. */
typedef struct cnnblas_conv_plan cnnblas_conv_plan;

/**
 * Validates everything, picks the algorithm, fixes tiles, threads and workspace. The caller owns *plan.
 *
 * options NULL means the defaults. On error *plan is untouched.
 * Returns CNNBLAS_OK; what cnnblas_conv_get_shape returns; CNNBLAS_INVALID_ARGUMENT (bad option or unknown algorithm);
 * CNNBLAS_UNSUPPORTED (the forced algorithm does not apply: the message says why); CNNBLAS_OUT_OF_MEMORY.
 * Thread safe.
 */
CNNBLAS_API cnnblas_status cnnblas_conv_plan_create(const cnnblas_conv_desc *desc, cnnblas_conv_direction direction,
                                                    const cnnblas_conv_options *options, cnnblas_conv_plan **plan);

/*
 * Wisdom: what effort "measure" found out, kept so that it need not be measured again, and so that the choice (and with
 * it the bits) stays the same from run to run. An object is the caller's; the library keeps none of its own.
 *
 *   cnnblas_wisdom *wisdom;
 *   cnnblas_wisdom_create(&wisdom);
 *   cnnblas_wisdom_load(wisdom, "layers.wisdom");       (an IO_ERROR the first time: there is no file yet)
 *   cnnblas_conv_options o = {.effort = CNNBLAS_MEASURE, .wisdom = wisdom};
 *   cnnblas_conv_plan_create(&d, CNNBLAS_FORWARD, &o, &plan);
 *   cnnblas_wisdom_save(wisdom, "layers.wisdom");
 *   cnnblas_wisdom_destroy(wisdom);
 *
 * A choice is kept for a problem: all sizes, strides, dilation, padding, mode and groups, n, dtype, direction,
 * accumulate, accuracy and workspace limit; not for a number of threads. Plans do not hold on to the object: it may be
 * destroyed before them.
 * Any number of threads may make plans with one object at once, load into it and save it; where two measure the same
 * problem at once the first choice stands for both.
 */

/** An object without choices. The caller owns *wisdom. Returns CNNBLAS_OK, INVALID_ARGUMENT (NULL) or OUT_OF_MEMORY. */
CNNBLAS_API cnnblas_status cnnblas_wisdom_create(cnnblas_wisdom **wisdom);

/** Frees an object that no thread is using. NULL is ignored. */
CNNBLAS_API void cnnblas_wisdom_destroy(cnnblas_wisdom *wisdom);

/** The number of problems that the object has a choice for; 0 for NULL. */
CNNBLAS_API size_t cnnblas_wisdom_count(const cnnblas_wisdom *wisdom);

/**
 * Adds the choices of a file to those in the object; where both have one for a problem the file's counts.
 *
 * Returns CNNBLAS_OK; CNNBLAS_IO_ERROR (the file cannot be opened or read); CNNBLAS_UNSUPPORTED (a file of another
 * version of the format or of the library, of another CPU model or instruction-set level: measure again);
 * CNNBLAS_BAD_FORMAT (damaged, cut short, edited, or not such a file; the message names file, line and what is wrong);
 * CNNBLAS_OUT_OF_MEMORY; CNNBLAS_INVALID_ARGUMENT (NULL). On an error the object is as it was.
 */
CNNBLAS_API cnnblas_status cnnblas_wisdom_load(cnnblas_wisdom *wisdom, const char *path);

/**
 * Writes all choices to a text file: first beside its place under another name, then in its place, so that a crash
 * leaves either the old file or the new one.
 *
 * Returns CNNBLAS_OK, CNNBLAS_IO_ERROR (the message names the file), CNNBLAS_OUT_OF_MEMORY or CNNBLAS_INVALID_ARGUMENT
 * (NULL).
 */
CNNBLAS_API cnnblas_status cnnblas_wisdom_save(const cnnblas_wisdom *wisdom, const char *path);

/** Frees a plan that no thread is executing. NULL is ignored. */
CNNBLAS_API void cnnblas_conv_plan_destroy(cnnblas_conv_plan *plan);

/** Bytes of workspace that a call needs, for all its threads together; 0 for NULL. Constant over the plan's life. */
CNNBLAS_API size_t cnnblas_conv_plan_workspace(const cnnblas_conv_plan *plan);

/** The chosen algorithm's name with its orientation, "implicit_gemm:pixels", static storage; "" for NULL. */
CNNBLAS_API const char *cnnblas_conv_plan_algorithm(const cnnblas_conv_plan *plan);

/**
 * The most threads that a call will use in this process; 0 for NULL. 1 in a child of fork whose parent ran parallel
 * calls:
 * OpenMP's threads do not survive a fork, and the plans that the child inherits run on its one thread.
 */
CNNBLAS_API int32_t cnnblas_conv_plan_threads(const cnnblas_conv_plan *plan);

/**
 * Writes a text for people: algorithm, its time as estimated and measured, tiles, tasks, bytes, FLOPs, why no rival was
 * taken.
 *
 * Writes at most size bytes, the closing zero included, as snprintf does; *needed (unless NULL) gets the bytes that the
 * whole text takes, the closing zero included. buffer may be NULL if size is 0. Thread safe.
 * Returns CNNBLAS_OK, or CNNBLAS_INVALID_ARGUMENT (null plan, or null buffer with a size).
 */
CNNBLAS_API cnnblas_status cnnblas_conv_plan_describe(const cnnblas_conv_plan *plan, char *buffer, size_t size,
                                                      size_t *needed);

/** Name of the index-th algorithm in the table's order, NULL past the end: loop from 0 to list them. Static storage. An
    orientation is a row of its own, "implicit_gemm:pixels"; options take the name before the colon for any of its
    rows. */
CNNBLAS_API const char *cnnblas_conv_algorithm_name(int32_t index);

/** How near to the exact result an algorithm comes: the bounds at the top of this header. */
typedef enum cnnblas_accuracy {
  CNNBLAS_ACCURACY_ELEMENT = 0, /* the element-wise bound; chains of sums are cut so that results are far nearer */
  CNNBLAS_ACCURACY_NORM = 1,    /* the norm-wise bound; as near as ELEMENT on data without the contrasts named above */
  CNNBLAS_ACCURACY_CHAIN = 2,   /* the element-wise bound, but sums are one chain, whose error grows with L */
  CNNBLAS_ACCURACY_WIDE = 3,    /* the element-wise bound; sums are made in the next wider type and rounded once */
  CNNBLAS_ACCURACY_NORM_RELAXED = 4 /* the norm-wise bound, its factor larger; errors up to three times the others' */
} cnnblas_accuracy;

/**
 * Which problems of its directions an algorithm takes. OpenBLAS is not called for a matrix of 2^31 rows or columns, nor
 * depthwise where strides or dilations reach too far; what packed weights and a limit of the workspace leave is told by
 * making a plan.
 */
typedef enum cnnblas_algorithm_scope {
  CNNBLAS_SCOPE_SOME = 0,      /* the problems that a plan can be made for: no promise */
  CNNBLAS_SCOPE_ROOM = 1,      /* every problem that the algorithm's tables and workspace have room for */
  CNNBLAS_SCOPE_EVERY = 2,     /* every problem */
  CNNBLAS_SCOPE_STRIDE_1 = 3,  /* every problem of stride 1 */
  CNNBLAS_SCOPE_POINTWISE = 4, /* every problem of one tap, stride 1 and no padding */
  CNNBLAS_SCOPE_DEPTHWISE =
      5,                    /* problems of one input channel a group, up to 10^16 elements with padding and dilation */
  CNNBLAS_SCOPE_ONE_TAP = 6 /* problems of one tap and no padding, at any stride, that there is room for */
} cnnblas_algorithm_scope;

/** What an algorithm is. Flags are 0 or 1. The orientation "slivers" has pixels on the lanes, as "pixels" has, copied
    together first.
    The rows whose names begin with "winograd" keep transformed weights besides their workspace a thread, once a call:
    at most 4 elements for each weight, channels of a group rounded up to 32; in backward_weights 16 elements (4, if
    taps lie along rows) for each pair of channels, as many times as partial sums wait to be joined, and a block of
    transformed tiles of at most 8 MiB. */
typedef struct cnnblas_algorithm_info {
  const char *name;          /* what cnnblas_conv_algorithm_name gives; static storage, as the next two */
  const char *family;        /* the name before the colon: its rows give a forward the same bits at a level */
  const char *orientation;   /* the name behind the colon: what lies on vectors' lanes; "" if the family has one row */
  cnnblas_accuracy accuracy; /* the bound on the error that its results hold */
  int32_t directions;        /* bit d is 1 if the algorithm does direction d for some problems */
  int32_t packed_weights;    /* 1: it takes weights packed once (options.packed_weights), at least in a forward */
  int32_t uses_blas;         /* 1: it calls OpenBLAS */
  int32_t by_name_only;      /* 1: the automatic choice takes it only where no other applies */
  int32_t one_thread;        /* 1: it runs on one thread, whatever the options say */
  int32_t by_batch;          /* 1: whether it applies follows the number of images */
  cnnblas_algorithm_scope scope; /* the problems that the algorithm takes */
  int32_t workspace;             /* the most bytes of workspace a thread with CNNBLAS_WORKSPACE_DEFAULT */
  int32_t task_macs;             /* the most multiply-adds of a task, where a plan has several threads and few tasks */
  int32_t norm_factor;           /* the factor of the norm-wise bound; 0 if the algorithm holds the element-wise one */
  int32_t reserved[5];           /* for later fields: the library writes zeros */
} cnnblas_algorithm_info;

/**
 * Tells what the index-th algorithm in the table's order is. Thread safe.
 * Returns CNNBLAS_OK; CNNBLAS_INVALID_ARGUMENT (info is NULL, index is negative or past the end): *info is untouched.
 */
CNNBLAS_API cnnblas_status cnnblas_conv_algorithm_info(int32_t index, cnnblas_algorithm_info *info);

/**
 * Forward: y = activation(conv(x, w) + bias + residual); plus the old y, if the plan accumulates.
 *
 * Equals, for groups == 1 and no dilation:
 *   y[in][ik][i][j] = bias[ik] + sum x[in][ic][i*stride - pad + ir][j*stride - pad + is] * w[ik][ic][ir][is]
 *
 * n          images in this call, 0 to the plan's n
 * x          [n][c][h][w]
 * w          [k][c/g][r][s]
 * epilogue   what is added and applied before the store; NULL for nothing
 * y          [n][k][oh][ow], written; must not overlap an input (but may be the residual, to the same bits: im2col,
 *            gemm_1x1 and depthwise then allocate a copy of it, or add to y first if the plan must not allocate)
 * workspace  at least cnnblas_conv_plan_workspace(plan) bytes, any alignment, apart from the arrays; NULL to let the
 *            call allocate
 *
 * Thread safe: concurrent calls need distinct y and workspace. Bits do not depend on the thread count.
 * Returns CNNBLAS_OK, CNNBLAS_INVALID_ARGUMENT (null, misaligned or overlapping pointer, plan of another direction, n
 * above the plan's, short or overlapping workspace) or CNNBLAS_OUT_OF_MEMORY (only if workspace is NULL); on error y is
 * untouched.
 */
CNNBLAS_API cnnblas_status cnnblas_conv_forward(const cnnblas_conv_plan *plan, int64_t n, const void *x, const void *w,
                                                const cnnblas_conv_epilogue *epilogue, void *y, void *workspace,
                                                size_t workspace_bytes);

/**
 * The estimated seconds of a call of the plan on one thread, by which the automatic choice is made: to be compared with
 * another plan's of the same problem, such as one that takes packed weights. 0 for NULL and where nothing is estimated.
 */
CNNBLAS_API double cnnblas_conv_plan_estimate(const cnnblas_conv_plan *plan);

/**
 * 1 if each call of a plan packs its weights, which a plan of the same algorithm with options.packed_weights is spared; 0
 * if it does not, so that packing them once gains nothing: an algorithm that takes weights as they are, images on the
 * vectors' lanes, few pixels, weights too large to be packed in the workspace, one channel a group, weights that come
 * packed; 0 for NULL and for an input gradient by an algorithm that takes none packed.
 */
CNNBLAS_API int32_t cnnblas_conv_plan_packs(const cnnblas_conv_plan *plan);

/**
 * Bytes of the packed weights of a plan that was made with options.packed_weights. *bytes is untouched on error. Thread
 * safe.
 * Returns CNNBLAS_OK, CNNBLAS_INVALID_ARGUMENT (null pointer, a plan made without the option) or CNNBLAS_SIZE_OVERFLOW.
 */
CNNBLAS_API cnnblas_status cnnblas_conv_plan_packed_bytes(const cnnblas_conv_plan *plan, size_t *bytes);

/**
 * Packs weights once for any number of calls, which then need not rearrange them: for inference, where
 * cnnblas_conv_plan_packs says that a plan without packed weights would pack them in each call.
 *
 * Not this plan alone takes the packed weights, but every plan whose algorithm packs in the same form and whose
 * instruction-set level, dtype, k, c, groups and kernel are the same, whatever n and threads and, in a forward, sizes,
 * strides, dilation and padding. A tag in front of them says for which plans they are; other plans refuse them.
 *
 * w       [k][c/g][r][s]; not needed any more afterwards
 * packed  at least cnnblas_conv_plan_packed_bytes bytes at an address divisible by 64, apart from w; the caller's. It
 *         may be copied, but not saved for another version of the library
 *
 * Runs on the plan's threads. Thread safe.
 * Returns CNNBLAS_OK, what cnnblas_conv_plan_packed_bytes returns, or CNNBLAS_INVALID_ARGUMENT (null, misaligned or
 * overlapping pointer, too few bytes).
 */
CNNBLAS_API cnnblas_status cnnblas_conv_plan_pack_weights(const cnnblas_conv_plan *plan, const void *w, void *packed,
                                                          size_t bytes);

/**
 * cnnblas_conv_forward with packed weights, on a plan that was made with options.packed_weights. The result has the
 * same bits as with the same algorithm and the weights as they were.
 *
 * Returns what cnnblas_conv_forward returns, and CNNBLAS_INVALID_ARGUMENT if packed does not fit the plan: the message
 * says what was packed and what the plan takes.
 */
CNNBLAS_API cnnblas_status cnnblas_conv_forward_packed(const cnnblas_conv_plan *plan, int64_t n, const void *x,
                                                       const void *packed, const cnnblas_conv_epilogue *epilogue,
                                                       void *y, void *workspace, size_t workspace_bytes);

/**
 * backward_data, the input gradient: dx = gradient of <y, dy> with respect to x. In the theory's words
 * pad(delta) * rot180(W).
 *
 * Equals, for groups == 1 and no dilation:
 *   dx[in][ic][i*stride - pad + ir][j*stride - pad + is] += dy[in][ik][i][j] * w[ik][ic][ir][is]
 * over all in < n, ik < k, ic < c, i < oh, j < ow, ir < r, is < s; targets outside dx are dropped.
 * Positions that no window covers become 0, written.
 *
 * dy         [n][k][oh][ow]
 * w          [k][c/g][r][s]
 * dx         [n][c][h][w], overwritten (added to, if the plan accumulates); must not overlap dy or w
 *
 * workspace, thread safety and errors as cnnblas_conv_forward.
 */
CNNBLAS_API cnnblas_status cnnblas_conv_backward_data(const cnnblas_conv_plan *plan, int64_t n, const void *dy,
                                                      const void *w, void *dx, void *workspace, size_t workspace_bytes);

/**
 * cnnblas_conv_backward_data with packed weights, on a plan that was made with options.packed_weights: where an input
 * gradient is what inference computes, as in a transposed convolution. The result has the same bits as with the same
 * algorithm and the weights as they were.
 *
 * Returns what cnnblas_conv_backward_data returns, and CNNBLAS_INVALID_ARGUMENT if packed does not fit the plan.
 */
CNNBLAS_API cnnblas_status cnnblas_conv_backward_data_packed(const cnnblas_conv_plan *plan, int64_t n, const void *dy,
                                                             const void *packed, void *dx, void *workspace,
                                                             size_t workspace_bytes);

/**
 * backward_weights, the weight gradient: dw = gradient of <y, dy> with respect to w, summed over the batch; and the
 * bias gradient.
 *
 * Equals, for groups == 1 and no dilation:
 *   dw[ik][ic][ir][is] = sum over in, i, j of dy[in][ik][i][j] * x[in][ic][i*stride - pad + ir][j*stride - pad + is]
 *   db[ik]             = sum over in, i, j of dy[in][ik][i][j]
 * An empty batch gives zeros.
 *
 * x          [n][c][h][w]
 * dy         [n][k][oh][ow]
 * dw         [k][c/g][r][s], overwritten (added to, if the plan accumulates); must not overlap an input or db
 * db         [k], written as dw is; must not overlap an input or dw; NULL if not wanted
 *
 * workspace, thread safety and errors as cnnblas_conv_forward.
 */
CNNBLAS_API cnnblas_status cnnblas_conv_backward_weights(const cnnblas_conv_plan *plan, int64_t n, const void *x,
                                                         const void *dy, void *dw, void *db, void *workspace,
                                                         size_t workspace_bytes);

/*
 * One call, no plan: each makes a plan with the default options, executes it on desc->n images, and frees it.
 * A call costs the making of a plan (microseconds) and an allocation. Arrays, errors and thread safety as above; what
 * cnnblas_conv_plan_create returns is returned too. desc->n == 0 with an array of images (x, dx, y or dy) that is not
 * NULL is CNNBLAS_INVALID_ARGUMENT: n was forgotten. An empty batch passes NULL for them: dw and db are zeros then.
 */

/** y = conv(x, w) + bias; bias may be NULL. */
CNNBLAS_API cnnblas_status cnnblas_conv_forward_once(const cnnblas_conv_desc *desc, const void *x, const void *w,
                                                     const void *bias, void *y);

/** dx = gradient with respect to x. */
CNNBLAS_API cnnblas_status cnnblas_conv_backward_data_once(const cnnblas_conv_desc *desc, const void *dy, const void *w,
                                                           void *dx);

/** dw and db = gradients with respect to w and the bias; db may be NULL. */
CNNBLAS_API cnnblas_status cnnblas_conv_backward_weights_once(const cnnblas_conv_desc *desc, const void *x,
                                                              const void *dy, void *dw, void *db);

/** CNNBLAS_OK if the plan's arrays are of that dtype, else CNNBLAS_INVALID_ARGUMENT. The typed calls below use it. */
CNNBLAS_API cnnblas_status cnnblas_conv_plan_expect(const cnnblas_conv_plan *plan, cnnblas_dtype dtype);

/* Typed calls: the compiler checks the pointers, the plan's dtype is checked at run time. */

/** cnnblas_conv_forward on float arrays; errors as there, and INVALID_ARGUMENT for a plan of another dtype. */
static inline cnnblas_status cnnblas_conv_forward_f32(const cnnblas_conv_plan *plan, int64_t n, const float *x,
                                                      const float *w, const cnnblas_conv_epilogue *epilogue, float *y,
                                                      void *workspace, size_t workspace_bytes)
{
  cnnblas_status status = cnnblas_conv_plan_expect(plan, CNNBLAS_F32);
  return status ? status : cnnblas_conv_forward(plan, n, x, w, epilogue, y, workspace, workspace_bytes);
}

/** cnnblas_conv_backward_data on float arrays; errors as there, and INVALID_ARGUMENT for a plan of another dtype. */
static inline cnnblas_status cnnblas_conv_backward_data_f32(const cnnblas_conv_plan *plan, int64_t n, const float *dy,
                                                            const float *w, float *dx, void *workspace,
                                                            size_t workspace_bytes)
{
  cnnblas_status status = cnnblas_conv_plan_expect(plan, CNNBLAS_F32);
  return status ? status : cnnblas_conv_backward_data(plan, n, dy, w, dx, workspace, workspace_bytes);
}

/** cnnblas_conv_backward_weights on float arrays; errors as there, and INVALID_ARGUMENT for a plan of another dtype. */
static inline cnnblas_status cnnblas_conv_backward_weights_f32(const cnnblas_conv_plan *plan, int64_t n, const float *x,
                                                               const float *dy, float *dw, float *db, void *workspace,
                                                               size_t workspace_bytes)
{
  cnnblas_status status = cnnblas_conv_plan_expect(plan, CNNBLAS_F32);
  return status ? status : cnnblas_conv_backward_weights(plan, n, x, dy, dw, db, workspace, workspace_bytes);
}

/** cnnblas_conv_forward on double arrays; errors as there, and INVALID_ARGUMENT for a plan of another dtype. */
static inline cnnblas_status cnnblas_conv_forward_f64(const cnnblas_conv_plan *plan, int64_t n, const double *x,
                                                      const double *w, const cnnblas_conv_epilogue *epilogue, double *y,
                                                      void *workspace, size_t workspace_bytes)
{
  cnnblas_status status = cnnblas_conv_plan_expect(plan, CNNBLAS_F64);
  return status ? status : cnnblas_conv_forward(plan, n, x, w, epilogue, y, workspace, workspace_bytes);
}

/** cnnblas_conv_backward_data on double arrays; errors as there, and INVALID_ARGUMENT for a plan of another dtype. */
static inline cnnblas_status cnnblas_conv_backward_data_f64(const cnnblas_conv_plan *plan, int64_t n, const double *dy,
                                                            const double *w, double *dx, void *workspace,
                                                            size_t workspace_bytes)
{
  cnnblas_status status = cnnblas_conv_plan_expect(plan, CNNBLAS_F64);
  return status ? status : cnnblas_conv_backward_data(plan, n, dy, w, dx, workspace, workspace_bytes);
}

/** cnnblas_conv_backward_weights on double arrays; errors as there, and INVALID_ARGUMENT for a plan of another
    dtype. */
static inline cnnblas_status cnnblas_conv_backward_weights_f64(const cnnblas_conv_plan *plan, int64_t n,
                                                               const double *x, const double *dy, double *dw,
                                                               double *db, void *workspace, size_t workspace_bytes)
{
  cnnblas_status status = cnnblas_conv_plan_expect(plan, CNNBLAS_F64);
  return status ? status : cnnblas_conv_backward_weights(plan, n, x, dy, dw, db, workspace, workspace_bytes);
}

#ifdef __cplusplus
}
#endif
#endif
