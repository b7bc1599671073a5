/* Where labelled images come from: a folder, whatever it holds, or drawing. */
#ifndef TOOLS_DATASET_READ_H
#define TOOLS_DATASET_READ_H

#include "dataset.h"

/* What a folder's files are. */
typedef enum { DATASET_IDX, DATASET_CIFAR, DATASET_PICTURES } dataset_kind;

/* IO_BAD_INPUT, with what was looked for, if a half is none of the three. */
io_status dataset_recognise(const char *folder, dataset_half half, dataset_kind *kind, io_error *error);

/* Whether the folder has test images. */
bool dataset_has_test(const char *folder);

/* Reads a half of a folder: data/idx_images.h, data/cifar.h and data/class_folders.h say what it looks like. dataset_free gives
   the memory back. */
io_status dataset_read(const char *folder, dataset_half half, const dataset_form *form, dataset *data, io_error *error);

/* Draws 28x28 digits: 8000 for training, 2000 others for testing, always the same. */
io_status dataset_draw(dataset_half half, dataset *data, io_error *error);

#endif
