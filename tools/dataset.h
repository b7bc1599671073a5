/* Labelled images, in memory or in files. dataset_read.h says where they come from. */
#ifndef TOOLS_DATASET_H
#define TOOLS_DATASET_H

#include "data/augment.h"
#include "data/classes.h"
#include "data/picture_files.h"
#include "io/error.h"
#include "io/idx.h"
#include "norm.h"
#include <cnnblas/conv.h>
#include <stdbool.h>
#include <stdint.h>

enum { DATASET_PATH = 512 };

typedef struct {
  int64_t count;        /* images, at least 1 */
  int64_t c;            /* channels */
  int64_t size[3];      /* {h, w, 0} */
  int64_t pixels;       /* of one image: c * h * w */
  idx_array images;     /* [count][c][h][w]: U8 as in the file, else F32; without values where files has them (U8) */
  picture_files *files; /* pictures, read when they are asked for; NULL: the images are in memory */
  int32_t *labels;      /* [count], at least 0 */
  int32_t largest_label;
  int64_t largest_at; /* the first image that has it */
  int64_t skipped;    /* files beside the pictures, of no form that can be read */
  class_names classes;
  char images_path[DATASET_PATH], labels_path[DATASET_PATH];
} dataset;

/* Which of the two halves of a folder. */
typedef enum { DATASET_TRAIN, DATASET_TEST } dataset_half;

/* What is said of a folder besides its name. */
typedef struct {
  bool transpose;             /* IDX files, as EMNIST's: images stored column by column */
  int64_t label_offset;       /* likewise: labels counted from it */
  int64_t c, size[3];         /* what pictures become: channels and {h, w, 0}; 0: it was not said */
  const class_names *classes; /* labels follow these names where a folder has names; NULL: the folder's own */
} dataset_form;

/* A batch no larger than the data: what is beyond would be memory and no work. */
int64_t dataset_batch(const dataset *data, int64_t batch);

/* Sets largest_label and largest_at from the labels. */
void dataset_find_largest(dataset *data);

/* Safe on a zeroed set and twice. */
void dataset_free(dataset *data);

/* The norm that brings each channel of some images, NULL for all of the set, to norm.h's mean and deviation; reads all of
   them. */
io_status dataset_norm(const dataset *data, const int64_t *images, int64_t count, input_norm *norm, io_error *error);

/* IO_BAD_INPUT unless every label is below classes: the message names file, image and label. */
io_status dataset_check_labels(const dataset *data, int64_t classes, io_error *error);

/* A checksum of pixels and labels, to recognise the set again; of files their names in place of pixels. */
uint32_t dataset_checksum(const dataset *data);

/* The same with the sizes of files, which tell most pictures of equal names apart: for ranks, that have to have the same ones. */
uint64_t dataset_checksum_of_files(const dataset *data);

/* Whether images have to be read from files. */
bool dataset_reads_files(const dataset *data);

/* Some images of a set: numbers[i], or first + i if numbers is NULL. */
typedef struct {
  const int64_t *numbers;
  int64_t first, count;
  const augment_settings *augment; /* NULL: as they are */
  uint64_t seed;                   /* of the augmentation */
  int64_t epoch;                   /* likewise */
} dataset_part;

/*
 * Copies images as a network wants them: normalised.
 * out     [count][c][h][w] of dtype
 * labels  [count], the images' labels; NULL if not wanted
 */
io_status dataset_gather(const dataset *data, const dataset_part *part, const input_norm *norm, cnnblas_dtype dtype,
                         void *out, int32_t *labels, io_error *error);

#endif
