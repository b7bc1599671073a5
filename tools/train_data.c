/* The images of a run; see train_data.h. */
#include "train_data.h"
#include "command.h"
#include "io/system.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The stream of the seed by which images are held out; see trainer.c for the others. */
static const uint64_t hold_out_stream = (uint64_t)2 << 32;

static int check_same_size(const train_data *d)
{
  const dataset *a = &d->train, *b = &d->test;
  char one[96], other[96];
  if (a->c == b->c && !memcmp(a->size, b->size, sizeof a->size)) return COMMAND_FINE;
  return command_fail(COMMAND_BAD_INPUT, "%s has images of %s, but %s of %s", b->images_path,
                      command_shape(other, sizeof other, b->c, b->size), a->images_path,
                      command_shape(one, sizeof one, a->c, a->size));
}

static int by_number(const void *a, const void *b)
{
  int64_t one = *(const int64_t *)a, other = *(const int64_t *)b;
  return (one > other) - (one < other);
}

/* Both parts are in the data's order: what is random is which images are held out. */
static int hold_out(train_data *d, uint64_t seed, double share)
{
  int64_t all = d->train.count, out = (int64_t)lrint((double)all * share), in = all - out;
  if (out < 1 || in < 1)
    return command_fail(COMMAND_BAD_INPUT, "%s: --validation %g of %lld images is %lld of them", d->train.images_path,
                        share, (long long)all, (long long)out);
  d->numbers = io_alloc_zeroed((size_t)all, sizeof *d->numbers);
  if (!d->numbers) return command_fail(COMMAND_NO_ROOM, "out of memory for %lld images' numbers", (long long)all);
  cnnblas_random_permutation(seed, hold_out_stream, all, d->numbers);
  qsort(d->numbers, (size_t)in, sizeof *d->numbers, by_number);
  qsort(d->numbers + in, (size_t)out, sizeof *d->numbers, by_number);
  d->training = (image_set){&d->train, d->numbers, in};
  d->held_out = (image_set){&d->train, d->numbers + in, out};
  d->validates = true;
  return COMMAND_FINE;
}

static io_status read_halves(train_data *d, const char *folder, const dataset_form *form, bool need_test,
                             io_error *error)
{
  if (!folder) {
    io_status drawn = dataset_draw(DATASET_TRAIN, &d->train, error);
    return drawn ? drawn : dataset_draw(DATASET_TEST, &d->test, error);
  }
  io_status status = dataset_read(folder, DATASET_TRAIN, form, &d->train, error);
  if (status || (!need_test && !dataset_has_test(folder))) return status;
  dataset_form likewise = *form;
  likewise.classes = &d->train.classes;
  return dataset_read(folder, DATASET_TEST, &likewise, &d->test, error);
}

int train_data_read(train_data *d, const char *folder, const dataset_form *form, uint64_t seed, double validation)
{
  io_error error;
  *d = (train_data){0};
  io_status status = read_halves(d, folder, form, validation <= 0, &error);
  if (status)
    return command_fail((int)status, "%s%s", error.text,
                        d->train.count && !d->test.count && validation <= 0 && !dataset_has_test(folder)
                            ? "; --validation 0.1 holds some of the training images out in their place"
                            : "");
  int checked = d->test.count ? check_same_size(d) : COMMAND_FINE;
  if (checked) return checked;
  d->training = (image_set){&d->train, NULL, d->train.count};
  d->held_out = (image_set){&d->test, NULL, d->test.count};
  return validation > 0 ? hold_out(d, seed, validation) : COMMAND_FINE;
}

void train_data_free(train_data *d)
{
  dataset_free(&d->train);
  dataset_free(&d->test);
  io_free(d->numbers);
  *d = (train_data){0};
}
