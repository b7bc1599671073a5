/*
 * Models in ONNX's file format, run on cnnblas. Library: libcnnblas_onnx (pkg-config cnnblas_onnx).
 *
 *   cnnblas_onnx *model;
 *   cnnblas_onnx_load("model.onnx", NULL, &model);
 *   cnnblas_onnx_array x = {.rank = 4, .size = {1, 3, 224, 224}, .data = image}, y = {0};
 *   cnnblas_onnx_run(model, &x, 1, &y, 1);                                  y.data lies in the model
 *   cnnblas_onnx_destroy(model);
 *
 * A model is loaded once: its weights are used where they lie in what was read, the file itself is not kept. Before it first runs
 * the model is planned for its inputs' sizes: shapes are inferred, what depends on constants alone is computed, batch
 * normalisations, scales, biases, activations and additions go into the convolutions, weights are packed, and one block of memory
 * takes all arrays, each only as long as it is needed. Inputs of other sizes have it planned again; so have other values of
 * inputs on which shapes depend (the second input of a Reshape). A model whose sizes are all known is planned when it is loaded.
 *
 * Operators of the domain ai.onnx up to version 17, as README.md lists them; a model with others is refused with the list of them
 * all. Arrays are f32, f64, i32, i64, u8 and bool; f16 and bf16 weights are widened to f32.
 *
 * A model belongs to one thread at a time; its calls use threads of their own. Bits do not depend on their number.
 */
#ifndef CNNBLAS_ONNX_H
#define CNNBLAS_ONNX_H

#include <cnnblas/conv.h>
#include <cnnblas/status.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { CNNBLAS_ONNX_RANK = 8 };

/** A loaded model: opaque; belongs to one thread at a time. */
typedef struct cnnblas_onnx cnnblas_onnx;

/** Types of elements, by ONNX's own numbers. */
typedef enum cnnblas_onnx_type {
  CNNBLAS_ONNX_ANY = 0, /* of an input: as the model says */
  CNNBLAS_ONNX_F32 = 1,
  CNNBLAS_ONNX_U8 = 2,
  CNNBLAS_ONNX_I32 = 6,
  CNNBLAS_ONNX_I64 = 7,
  CNNBLAS_ONNX_BOOL = 9, /* a byte, 0 or 1 */
  CNNBLAS_ONNX_F64 = 11
} cnnblas_onnx_type;

/** "f32", static storage; NULL for what is no type. */
CNNBLAS_API const char *cnnblas_onnx_type_name(cnnblas_onnx_type type);

/** Bytes of an element; 0 for what is no type. */
CNNBLAS_API size_t cnnblas_onnx_type_bytes(cnnblas_onnx_type type);

/** An array that goes in or comes out. */
typedef struct cnnblas_onnx_array {
  const char *name;                /* of the model's input or output; NULL: by its place among those given */
  cnnblas_onnx_type type;          /* of its elements */
  int32_t rank;                    /* axes, 0 to 8 */
  int64_t size[CNNBLAS_ONNX_RANK]; /* of each axis, outermost first; -1: not known yet (only where a model is asked) */
  const void *data;                /* contiguous, aligned to its element */
  int64_t reserved[4];             /* must be 0 */
} cnnblas_onnx_array;

/** A size for a dimension that the model names ("batch") instead of giving a number. */
typedef struct cnnblas_onnx_dimension {
  const char *name; /* as the model names the dimension */
  int64_t size;     /* what it is to be, at least 0 */
} cnnblas_onnx_dimension;

/** What planning does beyond what it must; bits of options.without. */
typedef enum cnnblas_onnx_pass {
  CNNBLAS_ONNX_FOLD_CONSTANTS = 1, /* nodes whose inputs are all constant are computed once */
  CNNBLAS_ONNX_FOLD_NORMALISATION =
      2,                         /* BatchNormalization, and Mul and Add by channel, into the convolution before them */
  CNNBLAS_ONNX_FUSE_STORE = 4,   /* activation, Clip and addition into the store of the convolution before them */
  CNNBLAS_ONNX_FOLD_PAD = 8,     /* Pad by zeros into the convolution behind it */
  CNNBLAS_ONNX_DROP_DEAD = 16,   /* nodes whose results nobody reads */
  CNNBLAS_ONNX_IN_PLACE = 32,    /* outputs over inputs that are not needed any more */
  CNNBLAS_ONNX_PACK_WEIGHTS = 64 /* convolutions' weights are packed once */
} cnnblas_onnx_pass;

/** How a model is to be run. Zero, or a NULL pointer to the whole, means the defaults. */
typedef struct cnnblas_onnx_options {
  int32_t threads;                          /* upper bound; 0 means one a core */
  cnnblas_accuracy_policy accuracy;         /* of the convolutions; see conv.h */
  cnnblas_effort effort;                    /* of the convolutions' plans */
  int32_t without;                          /* cnnblas_onnx_pass: what planning is not to do; 0: it does all */
  cnnblas_wisdom *wisdom;                   /* with effort measure; must outlive the model; or NULL */
  const cnnblas_onnx_dimension *dimensions; /* [dimension_count], read by load alone */
  int64_t dimension_count;                  /* entries of dimensions; 0 with NULL */
  const char *folder;  /* where external data lie, for models from bytes; NULL: there are none. A path's own folder
                          otherwise */
  int64_t reserved[8]; /* must be 0 */
} cnnblas_onnx_options;

/** Sets every field to zero, the defaults. NULL is ignored. */
CNNBLAS_API void cnnblas_onnx_options_init(cnnblas_onnx_options *options);

/**
 * Loads a model from a file. The caller owns *model.
 *
 * Returns CNNBLAS_OK; CNNBLAS_IO_ERROR; CNNBLAS_BAD_FORMAT (not a model, or one that contradicts itself: the message names the
 * node); CNNBLAS_UNSUPPORTED (operators, types or versions that are not supported; the message lists all operators that
 * are missing, with a node of each); CNNBLAS_INVALID_ARGUMENT; CNNBLAS_SIZE_OVERFLOW; CNNBLAS_OUT_OF_MEMORY. On an error *model is
 * untouched. Until shapes are known loading takes at most 16 MiB and four times the file.
 */
CNNBLAS_API cnnblas_status cnnblas_onnx_load(const char *path, const cnnblas_onnx_options *options,
                                             cnnblas_onnx **model);

/** The same from memory, which is not needed any more afterwards. */
CNNBLAS_API cnnblas_status cnnblas_onnx_load_bytes(const void *bytes, size_t count, const cnnblas_onnx_options *options,
                                                   cnnblas_onnx **model);

/** Frees the model. NULL is ignored. */
CNNBLAS_API void cnnblas_onnx_destroy(cnnblas_onnx *model);

/** A model in numbers. */
typedef struct cnnblas_onnx_info {
  int64_t inputs;      /* those that a run needs; constants are none */
  int64_t outputs;     /* those that the model declares */
  int64_t nodes;       /* of the plan; of the file, as long as there is none */
  int64_t file_nodes;  /* of the file */
  int64_t opset;       /* the version of ai.onnx that the model imports */
  int32_t planned;     /* 1: there is a plan, for the inputs' sizes as cnnblas_onnx_get_input tells them */
  int32_t threads;     /* the most that a run uses */
  size_t block_bytes;  /* all arrays of a run and its workspace: one block */
  size_t weight_bytes; /* constants that the plan's nodes read */
  size_t packed_bytes; /* the convolutions' packed weights */
  int64_t plans;       /* made so far */
  int64_t reserved[8]; /* written as 0 */
} cnnblas_onnx_info;

/** Fills info. Returns CNNBLAS_OK or CNNBLAS_INVALID_ARGUMENT (null pointer). */
CNNBLAS_API cnnblas_status cnnblas_onnx_get_info(const cnnblas_onnx *model, cnnblas_onnx_info *info);

/** Name, type and shape of input `index`; data is NULL. The name lives as long as the model. An output that no plan
    and no declaration tells about has type CNNBLAS_ONNX_ANY. Returns CNNBLAS_OK or CNNBLAS_INVALID_ARGUMENT. */
CNNBLAS_API cnnblas_status cnnblas_onnx_get_input(const cnnblas_onnx *model, int64_t index, cnnblas_onnx_array *array);

/** The same for output `index`. */
CNNBLAS_API cnnblas_status cnnblas_onnx_get_output(const cnnblas_onnx *model, int64_t index, cnnblas_onnx_array *array);

/**
 * Runs the model.
 *
 * inputs   [input_count]: all of the model's, each by name, or without a name by its place
 * outputs  [output_count]: those that are wanted, likewise; type, rank, size and data are written: data points into the model
 *          (or to a constant of it) until its next call
 *
 * Returns CNNBLAS_OK; CNNBLAS_INVALID_ARGUMENT (a name that is not the model's, an input that is missing, of another type or
 * shape than the model takes); what planning returns, as cnnblas_onnx_load. On an error outputs are untouched.
 */
CNNBLAS_API cnnblas_status cnnblas_onnx_run(cnnblas_onnx *model, const cnnblas_onnx_array *inputs, int64_t input_count,
                                            cnnblas_onnx_array *outputs, int64_t output_count);

/** One node of the plan. */
typedef struct cnnblas_onnx_node {
  const char *name;                /* as the file has it; "" if it has none */
  const char *op;                  /* "Conv" */
  char algorithm[32];              /* of a convolution, "" otherwise */
  char fused[64];                  /* what else it does: "BatchNormalization Relu" */
  int32_t packed;                  /* 1: reads packed weights */
  int32_t rank;                    /* of its first output */
  int64_t size[CNNBLAS_ONNX_RANK]; /* of its first output: the first rank entries */
  double seconds;                  /* of all runs while cnnblas_onnx_profile was on */
  int64_t reserved[8];             /* written as 0 */
} cnnblas_onnx_node;

/** Fills node for index of 0 to info.nodes - 1 of a plan. Returns CNNBLAS_OK or CNNBLAS_INVALID_ARGUMENT. */
CNNBLAS_API cnnblas_status cnnblas_onnx_get_node(const cnnblas_onnx *model, int64_t index, cnnblas_onnx_node *node);

/** Has runs take each node's time (on not 0), or not; times begin at 0. Returns CNNBLAS_OK or CNNBLAS_INVALID_ARGUMENT. */
CNNBLAS_API cnnblas_status cnnblas_onnx_profile(cnnblas_onnx *model, int32_t on);

/** Name of the index-th operator that models may have, NULL past the end: loop from 0 to list them. Static storage. */
CNNBLAS_API const char *cnnblas_onnx_operator_name(int32_t index);

/** Reads an array from a file that holds a TensorProto, as ONNX's test data have them (input_0.pb). The caller owns the array:
    cnnblas_onnx_array_free. Errors as cnnblas_onnx_load; *array is untouched then. */
CNNBLAS_API cnnblas_status cnnblas_onnx_array_load(const char *path, cnnblas_onnx_array *array);

/** Frees what cnnblas_onnx_array_load gave, and empties it. NULL is ignored. */
CNNBLAS_API void cnnblas_onnx_array_free(cnnblas_onnx_array *array);

#ifdef __cplusplus
}
#endif
#endif
