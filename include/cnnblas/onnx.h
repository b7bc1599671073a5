/*
 * Models in ONNX's file format, run on cnnblas. Library: libcnnblas_onnx (pkg-config cnnblas_onnx).
 *
 *   cnnblas_onnx *model;
 *   cnnblas_onnx_load("model.onnx", NULL, &model);
 *   cnnblas_onnx_array x = {.rank = 4, .size = {1, 3, 224, 224}, .data = image}, y = {0};
 *   cnnblas_onnx_run(model, &x, 1, &y, 1);                                  y.data points into the model
 *   cnnblas_onnx_destroy(model);
 *
 * A model is loaded once: its weights are used where they lie in the messages that were read; the file itself is not
 * kept, and weights that were folded or packed are freed: those of the file too if all inputs' sizes are known when the
 * model is loaded (options.dimensions), since it is then planned only once. Before it first runs the model is planned for its inputs' sizes: shapes are inferred, what depends on constants
 * alone is computed, batch normalisations, scales, biases, activations and additions go into the convolutions, weights
 * are packed, and one block of memory takes all arrays, each only as long as it is needed. Inputs of other sizes have
 * the model planned again; so have other values of inputs on which shapes depend (the second input of a Reshape). A
 * model whose sizes are all known is planned when it is loaded.
 *
 * Operators of the domain ai.onnx up to version 17, as docs/onnx.md lists them; a model with other operators is refused
 * with a list of them. Arrays are f32, f64, i32, i64, u8 and bool; f16 and bf16 weights are widened to f32.
 *
 * One thread at a time may use a model; its calls use threads of their own, on whose number no bits of a result depend.
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

/** A loaded model: opaque; one thread at a time may use it. */
typedef struct cnnblas_onnx cnnblas_onnx;

/** Types of elements, by ONNX's own numbers. */
typedef enum cnnblas_onnx_type {
  CNNBLAS_ONNX_ANY = 0, /* an input's type is what the model says */
  CNNBLAS_ONNX_F32 = 1,
  CNNBLAS_ONNX_U8 = 2,
  CNNBLAS_ONNX_I32 = 6,
  CNNBLAS_ONNX_I64 = 7,
  CNNBLAS_ONNX_BOOL = 9, /* an element is a byte, 0 or 1 */
  CNNBLAS_ONNX_F64 = 11
} cnnblas_onnx_type;

/** The name of a type, "f32", in static storage; NULL for a number that is no type. */
CNNBLAS_API const char *cnnblas_onnx_type_name(cnnblas_onnx_type type);

/** Bytes of an element of a type; 0 for a number that is no type. */
CNNBLAS_API size_t cnnblas_onnx_type_bytes(cnnblas_onnx_type type);

/** An array that a run reads or gives. */
typedef struct cnnblas_onnx_array {
  const char *name;       /* the name of the model's input or output; NULL: the place among those given says which */
  cnnblas_onnx_type type; /* the type of its elements */
  int32_t rank;           /* the number of axes, 0 to 8 */
  int64_t size[CNNBLAS_ONNX_RANK]; /* sizes of the axes, outermost first; -1: not known yet (where a model is asked) */
  const void *data;                /* the elements, contiguous, aligned to an element */
  int64_t reserved[4];             /* for later fields: its elements must be 0 */
} cnnblas_onnx_array;

/** A size for a dimension that the model names ("batch") instead of giving a number. */
typedef struct cnnblas_onnx_dimension {
  const char *name; /* the dimension's name in the model */
  int64_t size;     /* the dimension's size, at least 0 */
} cnnblas_onnx_dimension;

/** The passes with which planning makes a model cheaper to run; bits of options.without. */
typedef enum cnnblas_onnx_pass {
  CNNBLAS_ONNX_FOLD_CONSTANTS = 1, /* nodes whose inputs are all constant are computed once */
  CNNBLAS_ONNX_FOLD_NORMALISATION =
      2,                          /* BatchNormalization, and Mul and Add by channel, go into the convolution before */
  CNNBLAS_ONNX_FUSE_STORE = 4,    /* activation, Clip and addition go into the store of the convolution before */
  CNNBLAS_ONNX_FOLD_PAD = 8,      /* Pad by zeros goes into the convolution behind it */
  CNNBLAS_ONNX_DROP_DEAD = 16,    /* nodes whose results nobody reads are left out */
  CNNBLAS_ONNX_IN_PLACE = 32,     /* outputs lie over inputs that are not needed any more */
  CNNBLAS_ONNX_PACK_WEIGHTS = 64, /* convolutions' weights are packed once */
  CNNBLAS_ONNX_MOVE_TRANSPOSES =
      128 /* pairs of transposes are cancelled, after they were moved past element-wise nodes between them */
} cnnblas_onnx_pass;

/** How a model is to be run. Zero, or a NULL pointer to the whole, means the defaults. */
typedef struct cnnblas_onnx_options {
  int32_t threads;                  /* the most threads of a run; 0 means one a core */
  cnnblas_accuracy_policy accuracy; /* which bounds on the error the automatic choice may take; see conv.h */
  cnnblas_effort effort;            /* how the convolutions' algorithms are chosen; see conv.h */
  int32_t without;                  /* the sum of the passes (cnnblas_onnx_pass) that planning leaves out; 0: none */
  cnnblas_wisdom *wisdom; /* with effort measure: choices to look into and add to; must outlive the model; or NULL */
  const cnnblas_onnx_dimension *dimensions; /* sizes of named dimensions, [dimension_count], read by load alone */
  int64_t dimension_count;                  /* number of entries of dimensions; 0 with NULL */
  const char *folder;                       /* the folder of external data, for models from bytes; NULL: there is none.
                                               A model from a path has the path's own */
  int64_t reserved[8];                      /* for later fields: its elements must be 0 */
} cnnblas_onnx_options;

/** Sets every field to zero, the defaults. NULL is ignored. */
CNNBLAS_API void cnnblas_onnx_options_init(cnnblas_onnx_options *options);

/**
 * Loads a model from a file. The caller owns *model.
 *
 * Returns CNNBLAS_OK; CNNBLAS_IO_ERROR; CNNBLAS_BAD_FORMAT (not a model, or one that contradicts itself: the message
 * names the node); CNNBLAS_UNSUPPORTED (operators, types or versions that the library lacks; the message lists all
 * operators that are missing, with their nodes); CNNBLAS_INVALID_ARGUMENT; CNNBLAS_SIZE_OVERFLOW;
 * CNNBLAS_OUT_OF_MEMORY. On an error *model is untouched. Until shapes are known loading takes at most 16 MiB and four
 * times the file's bytes.
 */
CNNBLAS_API cnnblas_status cnnblas_onnx_load(const char *path, const cnnblas_onnx_options *options,
                                             cnnblas_onnx **model);

/** Loads a model from `count` bytes of memory, which is not needed any more afterwards. Otherwise as
    cnnblas_onnx_load. */
CNNBLAS_API cnnblas_status cnnblas_onnx_load_bytes(const void *bytes, size_t count, const cnnblas_onnx_options *options,
                                                   cnnblas_onnx **model);

/** Frees the model. NULL is ignored. */
CNNBLAS_API void cnnblas_onnx_destroy(cnnblas_onnx *model);

/** A model in numbers. */
typedef struct cnnblas_onnx_info {
  int64_t inputs;      /* number of inputs that a run needs; constants are none */
  int64_t outputs;     /* number of outputs that the model declares */
  int64_t nodes;       /* number of nodes of the plan, or of the file as long as there is no plan */
  int64_t file_nodes;  /* number of nodes of the file */
  int64_t opset;       /* the version of ai.onnx that the model imports */
  int32_t planned;     /* 1: there is a plan, for the inputs' sizes that cnnblas_onnx_get_input tells */
  int32_t threads;     /* the most threads that a run uses */
  size_t block_bytes;  /* bytes of the block that holds all arrays of a run and its workspace */
  size_t weight_bytes; /* bytes of the constants that the plan's nodes read */
  size_t packed_bytes; /* bytes of the convolutions' packed weights */
  int64_t plans;       /* number of plans made so far */
  int64_t reserved[8]; /* written as 0 */
} cnnblas_onnx_info;

/** Fills info. Returns CNNBLAS_OK or CNNBLAS_INVALID_ARGUMENT (null pointer). */
CNNBLAS_API cnnblas_status cnnblas_onnx_get_info(const cnnblas_onnx *model, cnnblas_onnx_info *info);

/** Fills array with name, type and shape of input `index`; data is NULL. The name lives as long as the model. An output
    that no plan and no declaration tells about has type CNNBLAS_ONNX_ANY. Returns CNNBLAS_OK or
    CNNBLAS_INVALID_ARGUMENT. */
CNNBLAS_API cnnblas_status cnnblas_onnx_get_input(const cnnblas_onnx *model, int64_t index, cnnblas_onnx_array *array);

/** Fills array with name, type and shape of output `index`, as cnnblas_onnx_get_input does. */
CNNBLAS_API cnnblas_status cnnblas_onnx_get_output(const cnnblas_onnx *model, int64_t index, cnnblas_onnx_array *array);

/**
 * Runs the model.
 *
 * inputs   [input_count]: all inputs of the model, each by its name, or without a name by its place
 * outputs  [output_count]: the outputs that are wanted, by name or place too; type, rank, size and data are written:
 *          data points into the model (or to a constant of it) until its next call
 *
 * Returns CNNBLAS_OK; CNNBLAS_INVALID_ARGUMENT (a name that is not the model's, an input that is missing, or that has
 * another type or shape than the model takes); what planning returns, as cnnblas_onnx_load. On an error outputs are
 * untouched.
 */
CNNBLAS_API cnnblas_status cnnblas_onnx_run(cnnblas_onnx *model, const cnnblas_onnx_array *inputs, int64_t input_count,
                                            cnnblas_onnx_array *outputs, int64_t output_count);

/** One node of the plan. */
typedef struct cnnblas_onnx_node {
  const char *name;                /* the node's name in the file; "" if it has none */
  const char *op;                  /* the operator's name, "Conv" */
  char algorithm[32];              /* a convolution's algorithm, "" for other nodes */
  char fused[64];                  /* operators that the node does too, "BatchNormalization Relu" */
  int32_t packed;                  /* 1: the node reads packed weights */
  int32_t rank;                    /* the number of axes of the first output */
  int64_t size[CNNBLAS_ONNX_RANK]; /* the first output's size, in the first rank entries */
  double seconds;                  /* seconds of all runs while cnnblas_onnx_profile was on */
  int64_t reserved[8];             /* written as 0 */
} cnnblas_onnx_node;

/** Fills node for an index of 0 to info.nodes - 1, where there is a plan. Returns CNNBLAS_OK or
    CNNBLAS_INVALID_ARGUMENT. */
CNNBLAS_API cnnblas_status cnnblas_onnx_get_node(const cnnblas_onnx *model, int64_t index, cnnblas_onnx_node *node);

/** Makes runs take each node's time (on is not 0), or stops that (0); times begin at 0. Returns CNNBLAS_OK or
    CNNBLAS_INVALID_ARGUMENT. */
CNNBLAS_API cnnblas_status cnnblas_onnx_profile(cnnblas_onnx *model, int32_t on);

/** The name of the index-th operator that models may have, NULL past the end: loop from 0 to list them. Static
    storage. */
CNNBLAS_API const char *cnnblas_onnx_operator_name(int32_t index);

/** Reads an array from a file that holds a TensorProto, as ONNX's test data have them (input_0.pb). The caller owns the
    array: cnnblas_onnx_array_free. Errors as cnnblas_onnx_load; *array is untouched then. */
CNNBLAS_API cnnblas_status cnnblas_onnx_array_load(const char *path, cnnblas_onnx_array *array);

/** Frees what cnnblas_onnx_array_load gave, and empties it. NULL is ignored. */
CNNBLAS_API void cnnblas_onnx_array_free(cnnblas_onnx_array *array);

#ifdef __cplusplus
}
#endif
#endif
