/*
 * A network's memory is known before it is allocated. A design says how many bytes the network will take; a chain, a residual
 * network and a U-Net, for training and for inference, then allocate one block of that size, and their passes allocate nothing.
 */
#include "support/harness.h"
#include <cnnblas/net.h>
#include <stdlib.h>

/* The library's allocator ends in posix_memalign; this one counts what a network takes. */
static int64_t calls, largest, total;
int posix_memalign(void **memory, size_t alignment, size_t size);
int posix_memalign(void **memory, size_t alignment, size_t size)
{
  calls++, total += (int64_t)size, largest = (int64_t)size > largest ? (int64_t)size : largest;
  *memory = aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
  return *memory ? 0 : 12;
}

enum { IMAGES = 70, ELEMENTS = 28 * 28 };
static float images[IMAGES * ELEMENTS]; /* or as many elements of other images */
static int32_t labels[IMAGES];

static cnnblas_net *make(const char *notation, cnnblas_net_options o)
{
  cnnblas_net *net;
  harness_doing("%s", notation);
  ASSERT_OK(cnnblas_net_create(notation, &o, &net));
  return net;
}

/* A training network of each of these and inference networks with and without packed weights. */
static const struct {
  const char *text;
  int64_t batch, outputs;
} announced[] = {
    {"INPUT 1x28x28 -> [CONV 8@5x5 -> RELU -> POOL max 2]*2 -> FC 64 -> RELU -> FC 10", 64, 10},
    {"NET resnet20", 8, 10},
    {"INPUT 3x16x16 -> [CONV 4@3x3 pad 1 -> BN -> RELU]*2 -> CAT[ POOL max 2 -> [CONV 8@3x3 pad 1 -> BN -> "
     "RELU]*2 -> CAT[ POOL max 2 -> CONV 16@3x3 pad 1 -> BN -> RELU -> TCONV 8@2x2 stride 2 | ] -> CONV "
     "8@3x3 pad 1 -> BN -> RELU -> TCONV 4@2x2 stride 2 | ] -> CONV 4@3x3 pad 1 -> BN -> RELU -> CONV "
     "2@1x1",
     8, 512}};

/* Trains, evaluates and predicts: nothing is allocated any more. */
static void passes_allocate_nothing(cnnblas_net *net, bool trains, int64_t n, float *outputs)
{
  cnnblas_net_result r;
  int32_t classes[64];
  cnnblas_net_step step = {.images = images, .labels = labels, .optimiser = {.lr = 0.05, .momentum = 0.9}};
  calls = 0;
  for (int i = 0; i < 3 && trains; i++) {
    step.n = i % 2 ? n - 3 : n;
    ASSERT_OK(cnnblas_net_train_step(net, &step, NULL));
  }
  ASSERT_OK(cnnblas_net_evaluate(net, n + 5, images, labels, &r));
  ASSERT_OK(cnnblas_net_predict(net, n - 1, images, outputs, classes));
  assert_int_equal(calls, 0);
}

/* The arrays are one block of the size that was said, what else is allocated describes; then nothing more. */
static void all_arrays_lie_in_the_block_that_was_announced(void **state)
{
  static float outputs[8 * 512];
  (void)state;
  for (size_t i = 0; i < sizeof announced / sizeof *announced; i++)
    for (int packed = 0; packed <= 2; packed++) { /* 2: a training network */
      cnnblas_net_options o = {.mode = CNNBLAS_NET_DESIGN, .loss = CNNBLAS_NET_SIGMOID, .batch = announced[i].batch};
      cnnblas_net_info info;
      o.packed_weights = packed == 1;
      cnnblas_net *net = make(announced[i].text, o);
      ASSERT_OK(cnnblas_net_get_info(net, &info));
      assert_int_equal(info.classes, announced[i].outputs);
      cnnblas_net_destroy(net);
      size_t said = packed == 2 ? info.training_bytes : info.inference_bytes;
      calls = largest = total = 0;
      o.mode = packed == 2 ? CNNBLAS_NET_TRAINING : CNNBLAS_NET_INFERENCE;
      net = make(announced[i].text, o);
      if (!(calls > 0 && largest == (int64_t)said))
        FAIL("the largest array has %lld bytes, not %zu", (long long)largest, said);
      if (!(total - largest < (64 << 10) + info.layers * (16 << 10)))
        FAIL("%lld bytes beside the block", (long long)(total - largest));
      if (packed == 1) ASSERT_OK(cnnblas_net_pack_weights(net));
      passes_allocate_nothing(net, packed == 2, announced[i].batch, outputs);
      cnnblas_net_destroy(net);
    }
}

static int draw_images(void **state)
{
  (void)state;
  for (int i = 0; i < IMAGES * ELEMENTS; i++) images[i] = (float)cnnblas_random_normal(7, 0, (uint64_t)i);
  for (int i = 0; i < IMAGES; i++) labels[i] = i % 10;
  return 0;
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(all_arrays_lie_in_the_block_that_was_announced)};
  return cmocka_run_group_tests(tests, draw_images, NULL);
}
