/*
 * Networks that share steps, each in a thread of its own: gradients, losses, running statistics and names of what is not finite
 * are those of one network with the same segments, to the bit, for any number of ranks; by swap alone and by begin and finish.
 */
#include "check.h"
#include <cnnblas/net_exchange.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH = 32, PIXELS = 2 * 8 * 8, MOST_RANKS = 8, SEGMENTS = 8, STEPS = 3, MOST_BYTES = 1 << 20 };
static const char plain[] =
    "INPUT 2x8x8 -> CONV 5@3x3 pad 1 bias -> TANH -> ADD[ CONV 5@3x3 pad 1 groups 5 -> RELU "
    "| ] -> CAT[ POOL max 2 -> TCONV 3@2x2 stride 2 bias | ] -> DROPOUT 0.3 -> FC 7 -> RELU -> FC 3";
static const char normalised[] =
    "INPUT 2x8x8 -> CONV 5@3x3 pad 1 -> BN -> RELU -> ADD[ CONV 5@3x3 pad 1 -> BN | ] -> RELU -> GPOOL avg -> FC 3";
static const char in_parts[] =
    "INPUT 2x8x8 -> CONV 5@3x3 pad 1 -> RELU -> POOL max 2 -> CONV 6@3x3 -> TANH -> FC 7 -> RELU -> FC 3";
/* No layer here has its gradients by segments. */
static const char statistics_alone[] = "INPUT 2x8x8 -> CAT[ BN | ] -> BN -> GPOOL avg";

/* A transport between threads: everybody shows what it has, waits, copies, waits. */
typedef struct {
  int ranks;
  pthread_barrier_t all;
  const void *shown[MOST_RANKS];
} room;

typedef struct {
  room *room;
  int rank;
  bool in_buckets;
  const char *text;
  cnnblas_dtype dtype;
  int64_t n;
  const char *images;
  const int32_t *labels;
  char *end; /* what the network holds in the end, [bytes] */
  size_t bytes;
  cnnblas_net_result result;
  cnnblas_status status;
  char message[256];
} member;

static cnnblas_status swap(void *context, int32_t other, size_t bytes, const void *mine, void *theirs)
{
  member *m = context;
  m->room->shown[m->rank] = mine;
  pthread_barrier_wait(&m->room->all);
  memcpy(theirs, m->room->shown[other], bytes);
  pthread_barrier_wait(&m->room->all);
  return CNNBLAS_OK;
}

static cnnblas_status begin(void *context, cnnblas_dtype dtype, int64_t count, void *sums)
{
  member *m = context;
  static _Thread_local char theirs[MOST_BYTES];
  const size_t element = dtype == CNNBLAS_F64 ? 8 : 4;
  for (int d = 1; d < m->room->ranks; d *= 2) {
    swap(m, m->rank ^ d, (size_t)count * element, sums, theirs);
    for (int64_t i = 0; i < count; i++) {
      if (dtype == CNNBLAS_F64)
        ((double *)sums)[i] += ((double *)(void *)theirs)[i];
      else
        ((float *)sums)[i] += ((float *)(void *)theirs)[i];
    }
  }
  return CNNBLAS_OK;
}

static cnnblas_status finish(void *context)
{
  (void)context;
  return CNNBLAS_OK;
}

/* Copies all values, gradients and states of the network. */
static void keep(member *m, const cnnblas_net *net)
{
  cnnblas_net_info info;
  ASSERT_OK(cnnblas_net_get_info(net, &info));
  for (int64_t t = 0; t < info.tensors; t++) {
    cnnblas_net_tensor tensor;
    ASSERT_OK(cnnblas_net_get_tensor(net, t, &tensor));
    const size_t bytes = (size_t)tensor.elements * (tensor.dtype == CNNBLAS_F64 ? 8 : 4);
    const void *arrays[] = {tensor.value, tensor.gradient, tensor.momentum};
    for (int i = 0; i < 3; i++) {
      if (!arrays[i]) continue;
      assert_true(m->bytes + bytes <= MOST_BYTES);
      memcpy(m->end + m->bytes, arrays[i], bytes);
      m->bytes += bytes;
    }
  }
}

static void *train(void *context)
{
  member *m = context;
  cnnblas_net_options o = {.batch = BATCH, .segments = SEGMENTS, .threads = 1 + m->rank % 2, .seed = 7};
  o.dtype = m->dtype;
  cnnblas_net *net;
  ASSERT_OK(cnnblas_net_create(m->text, &o, &net));
  const size_t image = PIXELS * (m->dtype == CNNBLAS_F64 ? sizeof(double) : sizeof(float));
  cnnblas_net_exchange e = {.ranks = m->room->ranks, .rank = m->rank, .context = m, .swap = swap, .word = m->rank};
  e.bucket_bytes = 512;
  if (m->in_buckets) {
    e.begin = begin;
    e.finish = finish;
  }
  int64_t first, count;
  ASSERT_OK(cnnblas_net_share(m->n, e.ranks, e.rank, &first, &count));
  cnnblas_net_step step = {.n = m->n, .images = m->images + (size_t)first * image, .labels = m->labels + first};
  step.optimiser = (cnnblas_net_optimiser){.lr = 0.1, .momentum = 0.9};
  step.exchange = &e;
  for (int i = 0; i < STEPS && !m->status; i++) m->status = cnnblas_net_train_step(net, &step, &m->result);
  assert_int_equal(e.words, e.ranks - 1);
  snprintf(m->message, sizeof m->message, "%s", cnnblas_last_error());
  keep(m, net);
  cnnblas_net_destroy(net);
  return NULL;
}

static void run(int ranks, member *members, const member *like)
{
  room r = {.ranks = ranks};
  pthread_t threads[MOST_RANKS];
  pthread_barrier_init(&r.all, NULL, (unsigned)ranks);
  for (int i = 0; i < ranks; i++) {
    members[i] = *like;
    members[i].room = &r;
    members[i].rank = i;
    members[i].end = malloc(MOST_BYTES);
    assert_int_equal(pthread_create(&threads[i], NULL, train, &members[i]), 0);
  }
  for (int i = 0; i < ranks; i++) pthread_join(threads[i], NULL);
  pthread_barrier_destroy(&r.all);
}

static void forget(int ranks, member *members)
{
  for (int i = 0; i < ranks; i++) free(members[i].end);
}

static void bits_do_not_depend_on_ranks(void **state)
{
  (void)state;
  static const char *const texts[] = {plain, normalised, in_parts, statistics_alone};
  static const int64_t counts[] = {BATCH, 21, 16, 5, 3, 1};
  int32_t labels[BATCH];
  for (int i = 0; i < BATCH; i++) labels[i] = i % 3;
  void *x[] = {check_floats(4, BATCH * PIXELS), check_reals(4, BATCH * PIXELS)};
  for (int which = 0; which < 4 * 2 * 6; which++) {
    member like = {.text = texts[which % 4], .dtype = which / 4 % 2 ? CNNBLAS_F64 : CNNBLAS_F32, .labels = labels};
    like.images = x[which / 4 % 2];
    like.n = counts[which / 8];
    member one[1], more[MOST_RANKS];
    run(1, one, &like);
    ASSERT_OK(one[0].status);
    for (int ranks = 2; ranks <= MOST_RANKS; ranks *= 2) {
      like.in_buckets = ranks != 4;
      harness_doing("%d ranks, %d images of case %d", ranks, (int)like.n, which);
      run(ranks, more, &like);
      for (int i = 0; i < ranks; i++) {
        ASSERT_OK(more[i].status);
        assert_int_equal(more[i].bytes, one[0].bytes);
        assert_memory_equal(more[i].end, one[0].end, one[0].bytes);
        assert_true(more[i].result.loss == one[0].result.loss);
        assert_int_equal(more[i].result.correct, one[0].result.correct);
        assert_int_equal(more[i].result.images, like.n);
      }
      forget(ranks, more);
    }
    forget(1, one);
  }
  free(x[0]);
  free(x[1]);
}

/* What one rank meets all of them tell: its number and the layer. */
static void what_is_not_finite_is_told_by_all(void **state)
{
  (void)state;
  static const struct {
    float bad;
    const char *tells;
  } cases[] = {{NAN, "step 1: rank 2: the output of input"}, {3e38f, "step 1: rank 2: the output of conv1"}};
  int32_t labels[BATCH] = {0};
  for (int which = 0; which < 4; which++) {
    float *x = check_floats(4, BATCH * PIXELS);
    for (int i = 0; i < PIXELS; i++) x[20 * PIXELS + i] = cases[which % 2].bad; /* an image of rank 2 of 4 */
    member like = {.text = which < 2 ? normalised : in_parts, .labels = labels, .n = BATCH, .images = (const char *)x},
           four[4];
    run(4, four, &like);
    for (int i = 0; i < 4; i++) {
      assert_int_equal(four[i].status, CNNBLAS_NOT_FINITE);
      assert_memory_equal(four[i].message, cases[which % 2].tells, strlen(cases[which % 2].tells));
    }
    forget(4, four);
    free(x);
  }
}

static void shares_are_the_trees_branches(void **state)
{
  (void)state;
  for (int64_t n = 0; n <= 40; n++)
    for (int32_t ranks = 1; ranks <= 16; ranks *= 2) {
      int64_t next = 0, first, count;
      for (int32_t rank = 0; rank < ranks; rank++) {
        ASSERT_OK(cnnblas_net_share(n, ranks, rank, &first, &count));
        assert_int_equal(first, next);
        assert_true(count >= 0);
        next += count;
      }
      assert_int_equal(next, n);
    }
  int64_t first, count;
  ASSERT_OK(cnnblas_net_share(256, 4, 3, &first, &count));
  assert_int_equal(first, 192);
  assert_int_equal(count, 64);
  assert_int_equal(cnnblas_net_share(8, 3, 0, &first, &count), CNNBLAS_INVALID_ARGUMENT);
  assert_int_equal(cnnblas_net_share(8, 4, 4, &first, &count), CNNBLAS_INVALID_ARGUMENT);
  assert_int_equal(cnnblas_net_share(-1, 4, 0, &first, &count), CNNBLAS_INVALID_ARGUMENT);
  assert_int_equal(cnnblas_net_share(8, 4, 0, NULL, &count), CNNBLAS_INVALID_ARGUMENT);
}

static void bad_exchanges_are_refused(void **state)
{
  (void)state;
  cnnblas_net_options o = {.batch = BATCH, .segments = 2};
  cnnblas_net *net;
  int32_t labels[BATCH] = {0};
  float *x = check_floats(4, BATCH * PIXELS);
  ASSERT_OK(cnnblas_net_create(plain, &o, &net));
  const cnnblas_net_exchange good = {.ranks = 2, .rank = 1, .swap = swap};
  cnnblas_net_exchange bad[7];
  for (int i = 0; i < 7; i++) bad[i] = good;
  bad[0].ranks = 3;
  bad[1].rank = 2;
  bad[2].swap = NULL;
  bad[3].begin = begin;
  bad[4].ranks = 4; /* more than segments */
  bad[5].word = -1;
  bad[6].reserved[7] = 1;
  for (int i = 0; i < 7; i++) {
    cnnblas_net_step step = {.n = BATCH, .images = x, .labels = labels, .exchange = &bad[i]};
    assert_int_equal(cnnblas_net_gradient(net, &step, NULL), CNNBLAS_INVALID_ARGUMENT);
  }
  cnnblas_net_destroy(net);
  free(x);
}

static void a_sentence_may_hold_percents(void **state)
{
  (void)state;
  assert_int_equal(cnnblas_net_exchange_fail(CNNBLAS_IO_ERROR, "rank 3: 100%s of %n bytes"), CNNBLAS_IO_ERROR);
  assert_string_equal(cnnblas_last_error(), "rank 3: 100%s of %n bytes");
  assert_int_equal(cnnblas_net_exchange_fail(CNNBLAS_IO_ERROR, NULL), CNNBLAS_IO_ERROR);
  assert_string_equal(cnnblas_last_error(), "the exchange failed");
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(bits_do_not_depend_on_ranks), cmocka_unit_test(what_is_not_finite_is_told_by_all),
      cmocka_unit_test(shares_are_the_trees_branches), cmocka_unit_test(bad_exchanges_are_refused),
      cmocka_unit_test(a_sentence_may_hold_percents)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
