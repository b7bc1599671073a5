/*
 * The other processes of an mpirun, its ranks: a command among them says what it says once, and ends with them. Without an
 * mpirun there is one rank and nothing of MPI is called.
 */
#ifndef TOOLS_RANKS_H
#define TOOLS_RANKS_H

#include <cnnblas/net_exchange.h>
#include <stdbool.h>
#include <stdint.h>

/* Takes --mpi out of argv, which joins ranks whose launcher sets no variable that is known. Under an mpirun standard output is rank
   0's from now on, and messages of failures wait for ranks_end. */
void ranks_prepare(int *argc, char **argv);

/* Whether an mpirun has started this process. */
bool ranks_started(void);

/* Joins the ranks, if there are any. Returns an exit status. */
int ranks_begin(void);

int32_t ranks_count(void);
int32_t ranks_own(void);

/* True for rank 0, which alone writes files. */
bool ranks_first(void);

/* What steps are given; NULL without an mpirun. */
cnnblas_net_exchange *ranks_exchange(void);

/* The threads of a rank where none are asked for: its share of the machine's; 0 for the default. */
int64_t ranks_threads(int64_t asked);

/* What all ranks call together. Each returns an exit status, the same on all. */
int ranks_agree(int status); /* the status of the first rank whose is not 0 */
int ranks_most(int *value);  /* the largest of the values */
int ranks_sum(int64_t count, double *values);
int ranks_compare(const char *what, const char *text); /* COMMAND_BAD_INPUT unless equal */

/* The same of a text of any length, of which the first place that differs is shown; and of a number that says nothing to the eye:
   "rank 1: WHAT than rank 0's". */
int ranks_compare_text(const char *what, const char *text);
int ranks_compare_hash(const char *what, uint64_t hash);

/* The failure that this rank has met is met by all: rank 0 speaks. */
void ranks_all_know(void);

/* Ends the connection, and reports a failure once. Returns the status that the process shall end with. */
int ranks_end(int status);

/* What was sent and waited for. */
typedef struct {
  double bytes, sum_seconds, swap_seconds;
} ranks_figures;
ranks_figures ranks_get_figures(void);

#endif
