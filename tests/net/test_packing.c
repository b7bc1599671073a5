/* Inference with packed weights: the same bits, what counts when, room in the block and nowhere else, refusals. */
#include "check.h"
#include "support/names.h"
#include <cnnblas/net.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The library's allocator ends in posix_memalign; this one counts. */
static int64_t calls, largest;
int posix_memalign(void **memory, size_t alignment, size_t size);
int posix_memalign(void **memory, size_t alignment, size_t size)
{
  calls++, largest = (int64_t)size > largest ? (int64_t)size : largest;
  *memory = aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
  return *memory ? 0 : 12;
}

typedef struct {
  const char *text;
  cnnblas_dtype dtype;
  int64_t batch;
} network;

/* With implicit_gemm most of them have weights to pack at every instruction-set level: strides keep images off the lanes. */
static const network networks[] = {
    {"INPUT 3x40x40 -> CONV 40@3x3 stride 2 -> RELU -> CONV 33@3x3 stride 2 pad same -> POOL 2 -> FC 5", CNNBLAS_F32,
     9},
    {"INPUT 3x40x40 -> CONV 40@3x3 stride 2 -> RELU -> CONV 33@3x3 stride 2 pad same -> POOL 2 -> FC 5", CNNBLAS_F64,
     2},
    {"INPUT 16x24x24 -> CONV 128@3x3 stride 2 groups 2 -> TANH -> CONV 128@3x3 groups 128 -> FC 4", CNNBLAS_F32, 27},
    {"INPUT 4x30x30 -> CONV 6@5x5 stride 2 maps 0-1/1-2/2-3/0,3/0-3/0 -> RELU -> CONV 40@3x3 stride 2 -> FC 3",
     CNNBLAS_F32, 65},
    {"INPUT 5x4000 -> CONV 24@9 stride 3 pad same -> LEAKY -> CONV 70@4 stride 2 -> FC 3", CNNBLAS_F32, 3},
    {"INPUT 2x12x20x20 -> CONV 17@3x3x3 stride 2 -> RELU -> CONV 70@3 stride 2 -> FC 3", CNNBLAS_F32, 5},
    {"INPUT 2x12x20x20 -> CONV 17@3x3x3 stride 2 -> RELU -> CONV 70@3 stride 2 -> FC 3", CNNBLAS_F64, 25},
    {"INPUT 64x20x20 -> [CONV 64@3x3 pad same -> RELU]*2 -> POOL 2 -> FC 10", CNNBLAS_F32, 1},
};
enum { NETWORKS = sizeof networks / sizeof *networks };

static cnnblas_net *make(const network *n, cnnblas_net_options o)
{
  cnnblas_net *net = NULL;
  harness_doing("%s, dtype %d, batch %d, threads %d", n->text, (int)n->dtype, (int)n->batch, (int)o.threads);
  o.dtype = n->dtype;
  o.batch = n->batch;
  ASSERT_OK(cnnblas_net_create(n->text, &o, &net));
  return net;
}

static const cnnblas_net_options plain = {.mode = CNNBLAS_NET_INFERENCE, .seed = 5},
                                 packing = {.mode = CNNBLAS_NET_INFERENCE, .seed = 5, .packed_weights = 1},
                                 named = {.mode = CNNBLAS_NET_INFERENCE, .seed = 5, .algorithm = IMPLICIT_GEMM},
                                 named_packing = {.mode = CNNBLAS_NET_INFERENCE,
                                                  .seed = 5,
                                                  .packed_weights = 1,
                                                  .algorithm = IMPLICIT_GEMM};

static cnnblas_net_info info_of(const cnnblas_net *net)
{
  cnnblas_net_info info;
  ASSERT_OK(cnnblas_net_get_info(net, &info));
  return info;
}

static int packed_layers(const cnnblas_net *net)
{
  int count = 0;
  for (int64_t i = 0; i < info_of(net).layers; i++) {
    cnnblas_net_layer_info l;
    ASSERT_OK(cnnblas_net_get_layer(net, i, &l));
    count += l.packed;
    if (l.packed) assert_algorithm(l.algorithm[0], IMPLICIT_GEMM);
  }
  return count;
}

/* count values of the dtype; the caller frees them. */
static void *reals(cnnblas_dtype dtype, uint64_t stream, int64_t count)
{
  return dtype == CNNBLAS_F64 ? (void *)check_reals(stream, count) : (void *)check_floats(stream, count);
}

static size_t element(const network *n)
{
  return n->dtype == CNNBLAS_F64 ? sizeof(double) : sizeof(float);
}

/* Logits of n images; the caller frees them. */
static void *logits_of(cnnblas_net *net, int64_t n, const void *x)
{
  void *logits = calloc((size_t)(n * info_of(net).classes), sizeof(double));
  ASSERT_OK(cnnblas_net_forward(net, n, x, logits));
  return logits;
}

static void assert_same_logits(cnnblas_net *a, cnnblas_net *b, const network *of, int64_t n, const void *x)
{
  void *one = logits_of(a, n, x), *other = logits_of(b, n, x);
  if (memcmp(one, other, (size_t)(n * info_of(a).classes) * element(of)) != 0)
    FAIL("%lld images: other bits", (long long)n);
  free(one);
  free(other);
}

static void packed_weights_give_the_same_bits(void **state)
{
  (void)state;
  int with_packed = 0;
  for (int i = 0; i < NETWORKS; i++)
    for (int run = 0; run < 4; run++) {
      const network *of = &networks[i];
      cnnblas_net_options o = packing, p = plain;
      o.algorithm = p.algorithm = run / 2 ? IMPLICIT_GEMM : NULL;
      o.threads = 1 + run % 2;
      cnnblas_net *as_they_are = make(of, p), *packed = make(of, o);
      void *x = reals(of->dtype, 1, of->batch * info_of(packed).input_elements);
      assert_same_logits(as_they_are, packed, of, of->batch, x);
      assert_int_equal(packed_layers(packed), 0);
      ASSERT_OK(cnnblas_net_pack_weights(packed));
      if (o.algorithm && o.threads == 1) with_packed += packed_layers(packed) > 0;
      for (int64_t n = of->batch; n >= 0; n = n > 20 ? n - 19 : n - 1)
        assert_same_logits(as_they_are, packed, of, n, x);
      free(x);
      cnnblas_net_destroy(as_they_are);
      cnnblas_net_destroy(packed);
    }
  assert_true(with_packed > NETWORKS / 2);
}

/* Whatever the algorithm that is asked for by name: the layers of others keep their weights as they are. */
static void named_algorithms_keep_their_plans(void **state)
{
  (void)state;
  const network *of = &networks[7];
  static const char *const names[] = {IMPLICIT_GEMM, IM2COL, NAIVE};
  for (int i = 0; i < 3; i++) {
    cnnblas_net_options o = plain, p = packing;
    o.algorithm = p.algorithm = names[i];
    cnnblas_net *as_they_are = make(of, o), *packed = make(of, p);
    float *x = check_floats(2, info_of(packed).input_elements);
    ASSERT_OK(cnnblas_net_pack_weights(packed));
    assert_int_equal(packed_layers(packed), i == 0 ? 2 : 0);
    if (i) assert_int_equal(info_of(packed).inference_bytes, info_of(as_they_are).inference_bytes);
    assert_same_logits(as_they_are, packed, of, 1, x);
    free(x);
    cnnblas_net_destroy(as_they_are);
    cnnblas_net_destroy(packed);
  }
}

static void add_one(cnnblas_net *net, const char *name)
{
  cnnblas_net_tensor t;
  ASSERT_OK(cnnblas_net_find_tensor(net, name, &t));
  for (int64_t i = 0; i < t.elements; i++) ((float *)t.value)[i] += 1;
}

static void weights_count_from_the_next_packing_on(void **state)
{
  (void)state;
  const network *of = &networks[0];
  cnnblas_net_options o = named, p = named_packing;
  o.algorithm = p.algorithm = IMPLICIT_GEMM_CHANNELS; /* both layers pack their weights for it */
  cnnblas_net *as_they_are = make(of, o), *packed = make(of, p);
  float *x = check_floats(3, 2 * info_of(packed).input_elements);
  add_one(as_they_are, "conv2.weight"), add_one(packed, "conv2.weight");
  assert_same_logits(as_they_are, packed, of, 2, x); /* not packed yet */
  ASSERT_OK(cnnblas_net_pack_weights(packed));
  assert_int_equal(packed_layers(packed), 2);
  add_one(packed, "conv2.weight"); /* must not be seen */
  assert_same_logits(as_they_are, packed, of, 2, x);
  static const char *const at_once[] = {"conv1.bias", "conv2.bias", "fc1.weight", "fc1.bias"};
  for (int i = 0; i < 4; i++) add_one(as_they_are, at_once[i]), add_one(packed, at_once[i]);
  assert_same_logits(as_they_are, packed, of, 2, x);
  add_one(as_they_are, "conv2.weight");
  ASSERT_OK(cnnblas_net_pack_weights(packed));
  assert_same_logits(as_they_are, packed, of, 2, x);

  int32_t labels[2] = {0, 1}, classes[2][2];
  cnnblas_net_result r[2];
  ASSERT_OK(cnnblas_net_evaluate(as_they_are, 2, x, labels, &r[0]));
  ASSERT_OK(cnnblas_net_evaluate(packed, 2, x, labels, &r[1]));
  assert_memory_equal(&r[0], &r[1], sizeof r[0]);
  ASSERT_OK(cnnblas_net_predict(as_they_are, 2, x, NULL, classes[0]));
  ASSERT_OK(cnnblas_net_predict(packed, 2, x, NULL, classes[1]));
  assert_memory_equal(classes[0], classes[1], sizeof classes[0]);

  ASSERT_OK(cnnblas_net_initialise(as_they_are, CNNBLAS_INIT_HE, 9));
  ASSERT_OK(cnnblas_net_initialise(packed, CNNBLAS_INIT_HE, 9));
  assert_int_equal(packed_layers(packed), 0);
  assert_same_logits(as_they_are, packed, of, 2, x);
  free(x);
  cnnblas_net_destroy(as_they_are);
  cnnblas_net_destroy(packed);
}

static void packed_weights_lie_in_the_block_that_was_announced(void **state)
{
  (void)state;
  for (int i = 0; i < NETWORKS; i++) {
    const network *of = &networks[i];
    cnnblas_net_options o = named_packing;
    o.mode = CNNBLAS_NET_DESIGN;
    cnnblas_net *design = make(of, o), *as_they_are = make(of, named);
    cnnblas_net_info said = info_of(design), without = info_of(as_they_are);
    assert_true(said.training_bytes == without.training_bytes);
    cnnblas_net_destroy(design);
    cnnblas_net_destroy(as_they_are);
    largest = 0;
    cnnblas_net *net = make(of, named_packing);
    assert_true(largest == (int64_t)said.inference_bytes);
    assert_true(info_of(net).allocated_bytes == said.inference_bytes);
    void *x = reals(of->dtype, 4, of->batch * said.input_elements), *logits = logits_of(net, of->batch, x);
    calls = 0;
    ASSERT_OK(cnnblas_net_pack_weights(net));
    ASSERT_OK(cnnblas_net_forward(net, of->batch, x, logits));
    ASSERT_OK(cnnblas_net_pack_weights(net));
    assert_int_equal(calls, 0);
    assert_int_equal(packed_layers(net) > 0, said.inference_bytes > without.inference_bytes);
    free(x);
    free(logits);
    cnnblas_net_destroy(net);
  }
}

static void the_table_shows_what_is_packed(void **state)
{
  (void)state;
  char table[8192];
  cnnblas_net *net = make(&networks[0], named_packing);
  ASSERT_OK(cnnblas_net_describe(net, table, sizeof table, NULL));
  assert_null(strstr(table, "packed"));
  ASSERT_OK(cnnblas_net_pack_weights(net));
  ASSERT_OK(cnnblas_net_describe(net, table, sizeof table, NULL));
  assert_non_null(strstr(table, IMPLICIT_GEMM ":"));
  assert_non_null(strstr(table, " (packed), "));
  cnnblas_net_destroy(net);
}

static void expect(cnnblas_status got, const char *words)
{
  if (got != CNNBLAS_INVALID_ARGUMENT || !strstr(cnnblas_last_error(), words))
    FAIL("gave %s, \"%s\"; expected the words \"%s\"", cnnblas_status_string(got), cnnblas_last_error(), words);
}

static void refusals_say_why(void **state)
{
  (void)state;
  const char *text = networks[0].text;
  cnnblas_net *none = NULL, *as_they_are = make(&networks[0], plain);
  cnnblas_net_options o = packing;
  o.mode = CNNBLAS_NET_DESIGN;
  cnnblas_net *design = make(&networks[0], o);
  expect(cnnblas_net_pack_weights(NULL), "net is NULL");
  expect(cnnblas_net_pack_weights(design), "design");
  expect(cnnblas_net_pack_weights(as_they_are), "packed_weights");
  for (int32_t wrong = -1; wrong <= 2; wrong += 3) {
    char words[64];
    snprintf(words, sizeof words, "options.packed_weights is %d", (int)wrong);
    o.packed_weights = wrong;
    expect(cnnblas_net_create(text, &o, &none), words);
  }
  o.packed_weights = 1;
  o.mode = CNNBLAS_NET_TRAINING;
  expect(cnnblas_net_create(text, &o, &none), "options.packed_weights is 1, but options.mode is training");
  o = packing;
  o.reserved[17] = 3;
  expect(cnnblas_net_create(text, &o, &none), "reserved is 3");
  assert_null(none);
  cnnblas_net_destroy(design);
  cnnblas_net_destroy(as_they_are);
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(packed_weights_give_the_same_bits),
                                     cmocka_unit_test(named_algorithms_keep_their_plans),
                                     cmocka_unit_test(weights_count_from_the_next_packing_on),
                                     cmocka_unit_test(packed_weights_lie_in_the_block_that_was_announced),
                                     cmocka_unit_test(the_table_shows_what_is_packed),
                                     cmocka_unit_test(refusals_say_why)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
