/* Sessions of a team: loops of the function run whole, in order, on the threads that they ask for. */
#include "base/parallel.h"
#include "support/harness.h"
#include <stdatomic.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TASKS = 37, LOOPS = 3, ROUNDS = 20 };

typedef struct {
  int threads;                         /* threads that the loops ask for */
  _Atomic int runs[LOOPS][TASKS];      /* how often each task has run */
  _Atomic int done[LOOPS], bad, inner; /* tasks done of each loop; tasks that saw something wrong; nested tasks */
} state;

typedef struct {
  state *s;
  int loop;
} loop_context;

static void nested_task(void *context, int64_t task, int worker)
{
  (void)task;
  (void)worker;
  atomic_fetch_add(&((state *)context)->inner, 1);
}

static void task(void *context, int64_t at, int worker)
{
  const loop_context *c = context;
  state *s = c->s;
  const int before = c->loop ? atomic_load(&s->done[c->loop - 1]) : TASKS;
  if (before != TASKS || worker < 0 || worker >= s->threads) atomic_fetch_add(&s->bad, 1);
  atomic_fetch_add(&s->runs[c->loop][at], 1);
  if (at == 5) cb_parallel_for(2, 4, nested_task, s);
  atomic_fetch_add(&s->done[c->loop], 1);
}

static void run_loops(state *s)
{
  loop_context context[LOOPS];
  cb_loop loops[LOOPS];
  for (int i = 0; i < LOOPS; i++) {
    context[i] = (loop_context){s, i};
    loops[i] = (cb_loop){TASKS, task, &context[i]};
    atomic_store(&s->done[i], 0);
  }
  cb_parallel_loops(s->threads, loops, LOOPS);
  for (int i = 0; i < LOOPS; i++) assert_int_equal(s->done[i], TASKS);
}

static void check_rounds(const state *s, int rounds)
{
  for (int i = 0; i < LOOPS; i++)
    for (int k = 0; k < TASKS; k++) assert_int_equal(s->runs[i][k], rounds);
  assert_int_equal(s->bad, 0);
  assert_int_equal(s->inner, rounds * LOOPS * 4);
}

static void many_loops(void *context)
{
  assert_false(cb_in_parallel()); /* calls that are told no number of threads take all */
  for (int r = 0; r < ROUNDS; r++) run_loops(context);
}

static void session_inside(void *context)
{
  cb_parallel_session(3, many_loops, context);
}

static void loops_run_whole(void **unused)
{
  static const int teams[][2] = {{1, 1}, {2, 2}, {2, 1}, {3, 2}, {2, 5}, {5, 5}, {20, 20}};
  (void)unused;
  for (size_t i = 0; i < sizeof teams / sizeof *teams; i++) {
    state s = {.threads = teams[i][1]};
    cb_parallel_session(teams[i][0], i % 2 ? many_loops : session_inside, &s);
    check_rounds(&s, ROUNDS);
  }
}

static void between_sessions_regions_are_as_ever(void **unused)
{
  state s = {.threads = 2};
  (void)unused;
  for (int r = 0; r < 3; r++) {
    cb_parallel_session(2, many_loops, &s);
    run_loops(&s);
  }
  check_rounds(&s, 3 * (ROUNDS + 1));
}

static void a_forked_child_runs_alone(void **unused)
{
  state s = {.threads = 2};
  (void)unused;
  cb_parallel_session(2, many_loops, &s);
  const pid_t child = fork();
  if (child == 0) {
    state own = {.threads = 1}; /* only worker 0 may run tasks */
    loop_context context = {&own, 0};
    const cb_loop loop = {TASKS, task, &context};
    cb_parallel_loops(2, &loop, 1);
    cb_parallel_session(2, many_loops, &own);
    _exit(cb_team(2) == 1 && own.bad == 0 && own.done[0] == TASKS ? 0 : 1);
  }
  int status;
  assert_int_equal(waitpid(child, &status, 0), child);
  assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(loops_run_whole),
                                     cmocka_unit_test(between_sessions_regions_are_as_ever),
                                     cmocka_unit_test(a_forked_child_runs_alone)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
