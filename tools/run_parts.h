/* What the files of `cnnblas run` share: options, and arrays that are read and written. */
#ifndef TOOLS_RUN_PARTS_H
#define TOOLS_RUN_PARTS_H

#include "array_elements.h"
#include "command.h"
#include <cnnblas/onnx.h>

enum { RUN_MOST = 64 /* inputs, or outputs, or dimensions */, RUN_CHANNELS = 4 };

/* "NAME=FILE", or FILE alone: that of the place in which it stands. */
typedef struct {
  char name[256]; /* "": none */
  const char *path;
} run_file;

typedef struct {
  const char *model;
  run_file inputs[RUN_MOST], outputs[RUN_MOST];
  int input_count, output_count;
  char names[RUN_MOST][64]; /* of dimensions */
  cnnblas_onnx_dimension dimensions[RUN_MOST];
  int dimension_count;
  double mean[RUN_CHANNELS], scale[RUN_CHANNELS]; /* of pictures: (pixel - mean) * scale */
  bool nhwc;                                      /* pictures go in channels last */
  int64_t threads, repeat, top;
  int accuracy; /* a cnnblas_accuracy_policy */
  const char *labels, *check;
  double rtol, atol;
  bool profile, measure;
} run_options;

/* Reads a .npy, .pb or .safetensors file, or a picture, as the declared input takes it. run_free gives the array back. */
int run_read(const run_options *o, const char *path, const cnnblas_onnx_array *declared, cnnblas_onnx_array *array);
void run_free(cnnblas_onnx_array *array);

/* Writes an array as .npy. */
int run_write(const char *path, const cnnblas_onnx_array *array);

/* Prints the largest elements of the last axis of the first row, with their labels if there is a file of them. */
int run_print_top(const cnnblas_onnx_array *array, int64_t top, const char *labels);

/* Runs the model on DIR's input_I.pb, compares with its output_I.pb, prints each output's largest errors. */
int run_check(cnnblas_onnx *model, const run_options *o);

/* Prints the times of the runs and, if they were taken, the nodes'. */
void run_print_times(const cnnblas_onnx *model, double *seconds, int64_t count, bool nodes);

#endif
