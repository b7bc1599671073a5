/* Comparing a model's outputs with arrays that were saved. */
#ifndef TESTS_ONNX_COMPARE_H
#define TESTS_ONNX_COMPARE_H

#include <cnnblas/onnx.h>
#include <stdbool.h>

/* Whether type, shape and elements agree: |got - wanted| <= atol + rtol * |wanted|, whole numbers exactly, NaN with NaN. If not,
   `why` says how. */
bool compare_arrays(const cnnblas_onnx_array *got, const cnnblas_onnx_array *wanted, double rtol, double atol,
                    char *why, size_t size);

/* The largest difference, divided by the largest of |wanted| (1 if that is 0); infinite where shapes or NaN differ. */
double compare_largest(const cnnblas_onnx_array *got, const cnnblas_onnx_array *wanted);

/* Runs a model on FOLDER's input_I.pb and gives each output and the output_I.pb beside it to `judge`, which returns whether they
   agree. false, and `why` a sentence, if one does not or an error comes. */
typedef bool (*compare_judge)(const cnnblas_onnx_array *got, const cnnblas_onnx_array *wanted, char *why, size_t size);
bool compare_folder(cnnblas_onnx *model, const char *folder, compare_judge judge, char *why, size_t size);

#endif
