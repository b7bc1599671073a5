/* Labelled images in memory: from IDX files under MNIST's names, or drawn. */
#ifndef TOOLS_DATASET_H
#define TOOLS_DATASET_H

#include "io/error.h"
#include "io/idx.h"
#include "train_settings.h"
#include <cnnblas/conv.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct {
  int64_t count;    /* images, at least 1 */
  int64_t c;        /* channels */
  int64_t size[3];  /* {h, w, 0} */
  int64_t pixels;   /* of one image: c * h * w */
  idx_array images; /* [count][c][h][w]: U8 as in the file, else F32 */
  int32_t *labels;  /* [count], at least 0 */
  int32_t largest_label;
  int64_t largest_at; /* the first image that has it */
  char images_path[512], labels_path[512];
} dataset;

/* Which of the two halves of a folder. */
typedef enum { DATASET_TRAIN, DATASET_TEST } dataset_half;

/* How files differ from MNIST's, as EMNIST's do: images stored column by column, labels counted from label_offset. */
typedef struct {
  bool transpose;
  int64_t label_offset;
} dataset_form;

/*
 * Reads a half from folder/train-images-idx3-ubyte and train-labels-idx1-ubyte (or t10k-...), plain or .gz; idx4 has
 * channels, in the order N C H W. dataset_free gives the memory back.
 */
io_status dataset_read(const char *folder, dataset_half half, const dataset_form *form, dataset *data, io_error *error);

/* The same from one file of images without labels (labels NULL). */
io_status dataset_read_images(const char *path, const dataset_form *form, dataset *data, io_error *error);

/* Draws 28x28 digits: 8000 for training, 2000 others for testing, always the same. */
io_status dataset_draw(dataset_half half, dataset *data, io_error *error);

/* A batch no larger than the data: what is beyond would be memory and no work. */
int64_t dataset_batch(const dataset *data, int64_t batch);

/* Safe on a zeroed set and twice. */
void dataset_free(dataset *data);

/*
 * Pixels with mean 0 and standard deviation 0.16 (of all pixels together). With 1, or with 0 to 1 not centred, the first
 * layer's steps are so large at a rate of 0.05 and momentum 0.9 that the accuracy jumps from epoch to epoch.
 */
input_norm dataset_norm(const dataset *data);

/* IO_BAD_INPUT unless every label is below classes: the message names file, image and label. */
io_status dataset_check_labels(const dataset *data, int64_t classes, io_error *error);

/* A checksum of pixels and labels, to recognise the set again. */
uint32_t dataset_checksum(const dataset *data);

/*
 * Copies images as a network wants them: out[i] = pixels of image order[i] (first + i if order is NULL), normalised.
 * out     [count][c][h][w] of dtype
 * labels  [count], the images' labels; NULL if not wanted
 */
void dataset_gather(const dataset *data, const int64_t *order, int64_t first, int64_t count, const input_norm *norm,
                    cnnblas_dtype dtype, void *out, int32_t *labels);

#endif
