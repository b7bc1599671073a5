/* The images of a run: what is trained, what is tested after each epoch, and what is tested in the end. */
#ifndef TOOLS_TRAIN_DATA_H
#define TOOLS_TRAIN_DATA_H

#include "batches.h"
#include "dataset_read.h"

typedef struct {
  dataset train, test; /* test.count is 0 where there are no test images */
  int64_t *numbers;    /* of the training images: those that are trained, then those held out; NULL: none are */
  image_set training, held_out; /* held_out: the validation images, or else the test images */
  bool validates;
} train_data;

/*
 * Reads both halves of a folder (NULL: draws them) and holds out a share of the training images, chosen by the seed and no
 * other setting. Without a share there must be test images. Returns an exit status; train_data_free in any case.
 */
int train_data_read(train_data *d, const char *folder, const dataset_form *form, uint64_t seed, double validation);
void train_data_free(train_data *d);

#endif
