/*
 * Our own allocations, failed one by one in every public call: CNNBLAS_OUT_OF_MEMORY, a message that says how many bytes,
 * nothing leaked, outputs and *plan untouched.
 *
 * The linker sends lib/base/memory.c's posix_memalign and free here (--wrap). What OpenBLAS and libgomp allocate for
 * themselves is not ours and stays as it is.
 */
#include "support/harness.h"
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int __real_posix_memalign(void **memory, size_t alignment, size_t size);
int __wrap_posix_memalign(void **memory, size_t alignment, size_t size);
void __real_free(void *memory);
void __wrap_free(void *memory);

enum { MOST_LIVE = 256 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static void *live[MOST_LIVE]; /* what posix_memalign gave and nobody freed */
static long requests;         /* since arm() */
static long fail_at = -1;     /* the request that fails; -1: none */
static long injected, cases;

int __wrap_posix_memalign(void **memory, size_t alignment, size_t size)
{
  pthread_mutex_lock(&lock);
  bool fail = requests++ == fail_at;
  injected += fail;
  int error = fail ? 12 /* ENOMEM */ : __real_posix_memalign(memory, alignment, size);
  for (int i = 0; i < MOST_LIVE && !error; i++)
    if (!live[i]) {
      live[i] = *memory;
      break;
    }
  pthread_mutex_unlock(&lock);
  return error;
}

void __wrap_free(void *memory)
{
  pthread_mutex_lock(&lock);
  for (int i = 0; i < MOST_LIVE && memory; i++)
    if (live[i] == memory) live[i] = NULL;
  pthread_mutex_unlock(&lock);
  __real_free(memory);
}

static int live_count(void)
{
  int count = 0;
  for (int i = 0; i < MOST_LIVE; i++) count += live[i] != NULL;
  return count;
}

static void arm(long request)
{
  requests = 0;
  fail_at = request;
}

enum { X = 8 * 6 * 9 * 9, W = 6 * 6 * 3 * 3, Y = 8 * 6 * 9 * 9, K = 6, OUT = X + W + Y };
static const cnnblas_conv_desc desc = {
    .n = 8, .c = 6, .k = K, .size = {9, 9}, .kernel = {3, 3}, .pad_begin = {1, 1}, .pad_end = {1, 1}};
static float x[X], w[W], y[Y], out[OUT], db[K];

/* A public call: what it is given stays in these. */
typedef struct {
  cnnblas_conv_desc desc;
  cnnblas_conv_direction direction;
  cnnblas_conv_options options;
  cnnblas_conv_plan *plan; /* made for the executing call, or by the call */
} scene;

static cnnblas_status create(scene *s)
{
  return cnnblas_conv_plan_create(&s->desc, s->direction, &s->options, &s->plan);
}

static cnnblas_status execute(scene *s)
{
  if (s->direction == CNNBLAS_FORWARD) return cnnblas_conv_forward(s->plan, 8, x, w, NULL, out, NULL, 0);
  if (s->direction == CNNBLAS_BACKWARD_DATA) return cnnblas_conv_backward_data(s->plan, 8, y, w, out, NULL, 0);
  return cnnblas_conv_backward_weights(s->plan, 8, x, y, out, db, NULL, 0);
}

static cnnblas_status one_call(scene *s)
{
  if (s->direction == CNNBLAS_FORWARD) return cnnblas_conv_forward_once(&s->desc, x, w, NULL, out);
  if (s->direction == CNNBLAS_BACKWARD_DATA) return cnnblas_conv_backward_data_once(&s->desc, y, w, out);
  return cnnblas_conv_backward_weights_once(&s->desc, x, y, out, db);
}

/* Fails request 0, 1, 2, ... of the call until it gets by without a failure. */
static void fail_each(scene *s, cnnblas_status (*call)(scene *))
{
  static float untouched[OUT], untouched_db[K];
  int before = live_count();
  for (long request = 0;; request++) {
    memset(out, 0x5a, sizeof out), memset(untouched, 0x5a, sizeof untouched);
    memset(db, 0x5a, sizeof db), memset(untouched_db, 0x5a, sizeof untouched_db);
    cnnblas_conv_plan *plan = s->plan;
    long so_far = injected;
    arm(request);
    cnnblas_status status = call(s);
    arm(-1);
    if (injected == so_far) { /* the call asked for less than that: it must have succeeded */
      ASSERT_OK(status);
      break;
    }
    if (status != CNNBLAS_OUT_OF_MEMORY)
      FAIL("request %ld failed, the call gave %s", request, cnnblas_status_string(status));
    if (!strstr(cnnblas_last_error(), "memory")) FAIL("the message is: %s", cnnblas_last_error());
    if (live_count() != before) FAIL("%d allocations leaked", live_count() - before);
    if (memcmp(out, untouched, sizeof out) || memcmp(db, untouched_db, sizeof db)) FAIL("an output was touched");
    assert_ptr_equal(s->plan, plan);
  }
  cases++;
}

static void run_scene(cnnblas_conv_direction d, const char *algorithm, cnnblas_workspace_policy policy, int effort,
                      bool pointwise, bool depthwise)
{
  scene s = {.desc = desc, .direction = d};
  s.options = (cnnblas_conv_options){
      .algorithm = algorithm, .workspace = policy, .effort = (cnnblas_effort)effort, .threads = 2};
  if (pointwise)
    for (int i = 0; i < 2; i++) s.desc.kernel[i] = 1, s.desc.pad_begin[i] = s.desc.pad_end[i] = 0;
  if (depthwise) s.desc.groups = 6;
  harness_doing("%s %s, policy %d, effort %d%s%s", cnnblas_conv_direction_name((cnnblas_conv_direction)d),
                algorithm ? algorithm : "auto", (int)policy, effort, pointwise ? ", pointwise" : "",
                depthwise ? ", depthwise" : "");
  if (create(&s) == CNNBLAS_UNSUPPORTED) return;
  cnnblas_conv_plan_destroy(s.plan);
  s.plan = NULL;
  int before = live_count();
  fail_each(&s, create);
  fail_each(&s, execute);
  cnnblas_conv_plan_destroy(s.plan);
  if (!algorithm && policy == CNNBLAS_WORKSPACE_DEFAULT && effort == CNNBLAS_ESTIMATE) {
    s.plan = NULL;
    fail_each(&s, one_call);
  }
  if (live_count() != before) FAIL("%d allocations are still there at the end", live_count() - before);
}

static void test_every_allocation(void **state)
{
  (void)state;
  for (int i = 0; i < X; i++) x[i] = (float)(i % 5);
  for (int i = 0; i < W; i++) w[i] = (float)(i % 3);
  for (int i = 0; i < Y; i++) y[i] = (float)(i % 7);
  for (int d = 0; d < DIRECTIONS; d++)
    for (int kind = 0; kind < 3; kind++)
      for (int policy = CNNBLAS_WORKSPACE_DEFAULT; policy <= CNNBLAS_WORKSPACE_NONE; policy += 2) {
        for (int a = 0; a <= algorithm_count(); a++)
          run_scene((cnnblas_conv_direction)d, cnnblas_conv_algorithm_name(a), (cnnblas_workspace_policy)policy,
                    CNNBLAS_ESTIMATE, kind == 1, kind == 2);
        run_scene((cnnblas_conv_direction)d, NULL, (cnnblas_workspace_policy)policy, CNNBLAS_MEASURE, kind == 1,
                  kind == 2);
      }
  printf("allocation failures injected: %ld, in %ld calls\n", injected, cases);
  assert_true(injected > 0);
  assert_int_equal(live_count(), 0);
}

/* A measured plan whose choice goes through a file into another object. */
static cnnblas_status use_wisdom(void)
{
  cnnblas_wisdom *first = NULL, *second = NULL;
  cnnblas_conv_plan *plan = NULL;
  const char *path = "alloc_failures.wisdom";
  cnnblas_status status = cnnblas_wisdom_create(&first);
  if (!status) status = cnnblas_wisdom_create(&second);
  cnnblas_conv_options o = {.effort = CNNBLAS_MEASURE, .threads = 1, .wisdom = first};
  if (!status) status = cnnblas_conv_plan_create(&desc, CNNBLAS_FORWARD, &o, &plan);
  if (!status) status = cnnblas_wisdom_save(first, path);
  if (!status) status = cnnblas_wisdom_load(second, path);
  if (!status) assert_int_equal(cnnblas_wisdom_count(second), 1);
  cnnblas_conv_plan_destroy(plan);
  cnnblas_wisdom_destroy(first);
  cnnblas_wisdom_destroy(second);
  remove(path);
  return status;
}

static void test_wisdom(void **state)
{
  (void)state;
  int before = live_count();
  for (long request = 0;; request++) {
    long so_far = injected;
    arm(request);
    cnnblas_status status = use_wisdom();
    arm(-1);
    if (live_count() != before) FAIL("request %ld failed: %d allocations leaked", request, live_count() - before);
    if (injected == so_far) {
      ASSERT_OK(status);
      assert_true(request > 8); /* two objects, a plan, arrays, a list, text and name, text and lists */
      break;
    }
    if (status != CNNBLAS_OUT_OF_MEMORY || !strstr(cnnblas_last_error(), "memory"))
      FAIL("request %ld failed, the calls gave %s: %s", request, cnnblas_status_string(status), cnnblas_last_error());
  }
}

/* The one allocation of a resized image, either way. */
static void test_resize(void **state)
{
  (void)state;
  const cnnblas_resize_desc d = {.n = 1, .c = 1, .size = {3, 5}, .output = {6, 7}};
  int before = live_count();
  for (int back = 0; back < 2; back++) {
    memset(out, 0x5a, sizeof out);
    arm(0);
    cnnblas_status status = back ? cnnblas_resize_backward(&d, 1, x, out) : cnnblas_resize_forward(&d, 1, x, out);
    arm(-1);
    assert_int_equal(status, CNNBLAS_OUT_OF_MEMORY);
    assert_non_null(strstr(cnnblas_last_error(), "memory"));
    for (size_t i = 0; i < sizeof out; i++) assert_int_equal(((char *)out)[i], 0x5a);
    ASSERT_OK(back ? cnnblas_resize_backward(&d, 1, x, out) : cnnblas_resize_forward(&d, 1, x, out));
    assert_int_equal(live_count(), before);
  }
}

/* Calls that promise not to allocate: with a workspace passed, with policy "none", and with no_alloc. */
static void test_no_allocation(void **state)
{
  (void)state;
  long done = 0;
  for (int a = 0; a <= algorithm_count(); a++)
    for (int d = 0; d < DIRECTIONS; d++)
      for (int policy = CNNBLAS_WORKSPACE_DEFAULT; policy <= CNNBLAS_WORKSPACE_NONE; policy += 2) {
        scene s = {.desc = desc, .direction = (cnnblas_conv_direction)d};
        s.options = (cnnblas_conv_options){.algorithm = cnnblas_conv_algorithm_name(a),
                                           .workspace = (cnnblas_workspace_policy)policy,
                                           .no_alloc = 1,
                                           .threads = 2};
        harness_doing("no allocation: %s %s, policy %d", cnnblas_conv_direction_name((cnnblas_conv_direction)d),
                      s.options.algorithm ? s.options.algorithm : "auto", policy);
        if (create(&s) == CNNBLAS_UNSUPPORTED) continue;
        size_t bytes = cnnblas_conv_plan_workspace(s.plan);
        void *workspace = bytes ? malloc(bytes) : NULL;
        char text[4096];
        arm(-1);
        cnnblas_status status =
            d == CNNBLAS_FORWARD         ? cnnblas_conv_forward(s.plan, 8, x, w, NULL, out, workspace, bytes)
            : d == CNNBLAS_BACKWARD_DATA ? cnnblas_conv_backward_data(s.plan, 8, y, w, out, workspace, bytes)
                                         : cnnblas_conv_backward_weights(s.plan, 8, x, y, out, db, workspace, bytes);
        ASSERT_OK(status);
        ASSERT_OK(cnnblas_conv_plan_describe(s.plan, text, sizeof text, NULL));
        if (requests) FAIL("%ld allocations", requests);
        cnnblas_conv_plan_destroy(s.plan);
        free(workspace);
        done++;
      }
  printf("calls that must not allocate and did not: %ld\n", done);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_every_allocation),
      cmocka_unit_test(test_wisdom),
      cmocka_unit_test(test_resize),
      cmocka_unit_test(test_no_allocation),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
