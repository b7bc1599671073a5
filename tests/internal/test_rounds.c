/*
 * The choice of effort "measure" on times that are made up:
 *   - every candidate is timed in every round, and each goes first in its turn
 *   - one that wins every round is chosen, whatever the estimates say
 *   - a slow spell that hits one candidate's rounds does not lose it the choice
 *   - where rounds disagree those near the best run more rounds, and of those within the noise the estimate's favourite is taken;
 *     what is worse than noise is never taken, however good its estimate
 *   - on a machine that disturbs four calls of five the choice is within 15% of the best but for few of many random cases
 */
#include "conv/rounds.h"
#include "support/harness.h"
#include "support/rng.h"
#include <string.h>

enum { MOST = 8, CALLS = MOST * CB_ROUNDS_MOST };

/* A machine that takes time[i][round], and remembers who was timed. */
typedef struct {
  double time[MOST][CB_ROUNDS_MOST];
  int calls[MOST], order[CALLS], total;
} machine;

static double take(void *context, int candidate)
{
  machine *m = context;
  assert_in_range(m->calls[candidate], 0, CB_ROUNDS_MOST - 1);
  m->order[m->total++] = candidate;
  return m->time[candidate][m->calls[candidate]++];
}

/* The same time in every round. */
static void steady(machine *m, int candidate, double time)
{
  for (int r = 0; r < CB_ROUNDS_MOST; r++) m->time[candidate][r] = time;
}

/* Uniform on (0, 1). */
static double share(rng *random)
{
  return 0.5 + 0.5 * rng_real(random);
}

static void test_turns(void **state)
{
  (void)state;
  machine m = {0};
  cb_contender c[3] = {{.estimate = 1}, {.estimate = 2}, {.estimate = 3}};
  for (int i = 0; i < 3; i++) steady(&m, i, 3.0 - i);
  assert_int_equal(cb_rounds_run(c, 3, take, &m), 2); /* the estimates are of the opposite opinion */
  assert_int_equal(m.total, 3 * CB_ROUNDS);
  for (int i = 0; i < m.total; i++) assert_int_equal(m.order[i], (i / 3 + i % 3) % 3);
  for (int i = 0; i < 3; i++) {
    assert_int_equal(c[i].rounds, CB_ROUNDS);
    assert_true(c[i].times[0] == 3.0 - i);
  }
}

static void test_one_candidate(void **state)
{
  (void)state;
  machine m = {0};
  cb_contender c = {.estimate = 1};
  steady(&m, 0, 1);
  assert_int_equal(cb_rounds_run(&c, 1, take, &m), 0);
}

/* The best is slowed down in all rounds but one: its least time counts. */
static void test_slow_spell(void **state)
{
  (void)state;
  machine m = {0};
  cb_contender c[2] = {{.estimate = 5}, {.estimate = 1}};
  steady(&m, 0, 9);
  m.time[0][3] = 1;
  steady(&m, 1, 2);
  assert_int_equal(cb_rounds_run(c, 2, take, &m), 0);
  assert_true(c[0].times[0] == 1 && c[1].times[0] == 2);
}

static void test_noise(void **state)
{
  (void)state;
  machine m = {0};
  /* 0 and 1 take turns in winning, 2 has the best estimate but is 30% behind, 3 the next best and is out of question. */
  cb_contender c[4] = {{.estimate = 2}, {.estimate = 1.9}, {.estimate = 1}, {.estimate = 1.1}};
  for (int r = 0; r < CB_ROUNDS_MOST; r++) {
    m.time[0][r] = r % 2 ? 1.2 : 1.00;
    m.time[1][r] = r % 2 ? 1.03 : 1.25;
  }
  steady(&m, 2, 1.3);
  steady(&m, 3, 2);
  assert_int_equal(cb_rounds_run(c, 4, take, &m), 1);
  assert_int_equal(m.calls[0], CB_ROUNDS_MOST);
  assert_int_equal(m.calls[1], CB_ROUNDS_MOST);
  assert_int_equal(m.calls[2], CB_ROUNDS_MOST);
  assert_int_equal(m.calls[3], CB_ROUNDS);
  for (int i = 0; i < 4; i++)
    for (int r = 1; r < c[i].rounds; r++) assert_true(c[i].times[r - 1] <= c[i].times[r]);
  /* The best's own estimate is the lowest: nothing changes hands. */
  c[0].estimate = 0.5;
  memset(m.calls, 0, sizeof m.calls);
  m.total = 0;
  assert_int_equal(cb_rounds_run(c, 4, take, &m), 0);
  /* A single disturbed time moves no median: who is behind stays behind. */
  memset(&m, 0, sizeof m);
  steady(&m, 0, 1);
  steady(&m, 1, 1.05);
  m.time[0][1] = 1.2;
  c[0].estimate = 2, c[1].estimate = 1;
  assert_int_equal(cb_rounds_run(c, 2, take, &m), 0);
}

/* Candidates of random true times, on which others leave one call of five undisturbed; estimates off by up to a quarter. */
static void test_busy_machine(void **state)
{
  (void)state;
  enum { CASES = 2000 };
  rng random = rng_at(rng_seed(20261127), 0);
  int wrong = 0, first_of_one_round = 0;
  for (int k = 0; k < CASES; k++) {
    machine m = {0};
    cb_contender c[MOST];
    double truth[MOST];
    int best = 0, count = 2 + (int)(share(&random) * (MOST - 2)), hasty = 0;
    for (int i = 0; i < count; i++) {
      truth[i] = 1 + 2 * share(&random);
      c[i].estimate = truth[i] * (0.8 + 0.45 * share(&random));
      if (truth[i] < truth[best]) best = i;
      for (int r = 0; r < CB_ROUNDS_MOST; r++)
        m.time[i][r] = truth[i] * (share(&random) < 0.2 ? 1 + 0.02 * share(&random) : 1.1 + share(&random));
      if (m.time[i][0] < m.time[hasty][0]) hasty = i;
    }
    wrong += truth[cb_rounds_run(c, count, take, &m)] > 1.15 * truth[best];
    first_of_one_round += truth[hasty] > 1.15 * truth[best];
  }
  if (wrong * 20 > CASES) FAIL("%d of %d choices are wrong; a single round's: %d", wrong, CASES, first_of_one_round);
  assert_true(first_of_one_round > 2 * wrong); /* the machine is one on which rounds help */
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_turns), cmocka_unit_test(test_one_candidate), cmocka_unit_test(test_slow_spell),
      cmocka_unit_test(test_noise), cmocka_unit_test(test_busy_machine),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
