/*
 * Rounds in which candidates take turns, and which of them their times say is the best: effort "measure" without its
 * clock.
 *
 * What else a machine does makes times longer, never shorter. So each candidate counts by its least time, and by taking
 * turns a slow spell of the machine meets all of them. Where one candidate is the fastest of every round, it is the
 * best. Where rounds disagree, those near the best run as many rounds again; then all whose least times the noise does
 * not tell apart are equals, and the estimate takes its favourite of them.
 */
#ifndef CB_CONV_ROUNDS_H
#define CB_CONV_ROUNDS_H

enum {
  CB_ROUNDS = 5,                  /* rounds that every candidate runs */
  CB_ROUNDS_MOST = 2 * CB_ROUNDS, /* the most rounds of a candidate, where rounds disagree */
};

/* A candidate and its times. */
typedef struct {
  double estimate;              /* the cost model's estimate, in seconds */
  double times[CB_ROUNDS_MOST]; /* times in seconds, in ascending order when the rounds are over */
  int rounds;                   /* rounds that it ran */
} cb_contender;

/* Takes one time of a candidate, in seconds. */
typedef double (*cb_timer)(void *context, int candidate);

/* Runs the rounds of count > 0 candidates, whose estimates are filled in; fills in their times and rounds, and returns
   the number of the best candidate. Which candidate goes first changes from round to round. */
int cb_rounds_run(cb_contender *contenders, int count, cb_timer timer, void *context);

#endif
