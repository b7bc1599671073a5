/* Taking turns, and the choice by least times and noise; see rounds.h. */
#include "conv/rounds.h"
#include <math.h>
#include <stdbool.h>

/* How many times the lowest time a candidate's least time may be: NEAR to run more rounds, MOST_NOISE to be the best
   one's equal for noise. On a machine that is always busy the median of the best lies above the least times of rivals
   that are worse. */
static const double NEAR = 1.5, MOST_NOISE = 1.15;

typedef struct {
  cb_contender *items;
  int count;
  cb_timer timer;
  void *context;
} field;

/* Runs one round of the candidates whose first time is at most `most` seconds; each round another one goes first.
   Returns the number of the round's fastest. */
static int run_round(const field *f, int round, double most)
{
  int fastest = -1;
  double least = INFINITY;
  for (int turn = 0; turn < f->count; turn++) {
    const int i = (round + turn) % f->count;
    cb_contender *c = &f->items[i];
    if (c->rounds && c->times[0] > most) continue;
    const double time = c->times[c->rounds++] = f->timer(f->context, i);
    if (time < least) least = time, fastest = i;
  }
  return fastest;
}

static void sort_times(cb_contender *c)
{
  for (int i = 1; i < c->rounds; i++)
    for (int j = i; j > 0 && c->times[j] < c->times[j - 1]; j--) {
      double moved = c->times[j];
      c->times[j] = c->times[j - 1];
      c->times[j - 1] = moved;
    }
}

/* Sorts every candidate's times; returns the candidate with the lowest. */
static const cb_contender *find_lowest(const field *f)
{
  const cb_contender *lowest = &f->items[0];
  for (int i = 0; i < f->count; i++) {
    sort_times(&f->items[i]);
    if (f->items[i].times[0] < lowest->times[0]) lowest = &f->items[i];
  }
  return lowest;
}

int cb_rounds_run(cb_contender *contenders, int count, cb_timer timer, void *context)
{
  const field f = {contenders, count, timer, context};
  bool agree = true;
  for (int i = 0; i < count; i++) contenders[i].rounds = 0;
  for (int round = 0, winner = -1; round < CB_ROUNDS; round++) {
    const int fastest = run_round(&f, round, INFINITY);
    agree = agree && (winner < 0 || fastest == winner);
    winner = fastest;
  }
  const cb_contender *best = find_lowest(&f);
  if (agree) return (int)(best - contenders);

  const double near = NEAR * best->times[0];
  for (int round = CB_ROUNDS; round < CB_ROUNDS_MOST; round++) run_round(&f, round, near);
  best = find_lowest(&f);
  const double noise = fmin(best->times[best->rounds / 2], MOST_NOISE * best->times[0]);
  const cb_contender *chosen = best;
  for (int i = 0; i < count; i++)
    if (contenders[i].times[0] <= noise && contenders[i].estimate < chosen->estimate) chosen = &contenders[i];
  return (int)(chosen - contenders);
}
