/* The ordered table of algorithms, and the choice among them. */
#ifndef CB_CONV_ALGORITHMS_H
#define CB_CONV_ALGORITHMS_H

#include "conv/plan.h"

/* Row i, NULL past the end. */
const cb_algorithm *cb_algorithm_at(int i);

/* The row of that name, or NULL. */
const cb_algorithm *cb_algorithm_find(const char *name);

/* True if the row can do the problem, packed or not; else a reason is written. */
bool cb_algorithm_applies(const cb_algorithm *row, const cb_problem *problem, char *why, size_t size);

/* The cheapest row that applies by estimate; the table's order breaks ties. Fills seconds[] with the estimates of the
   rows that apply, 0 for the others. NULL only for packed weights. */
const cb_algorithm *cb_algorithm_choose(const cb_problem *problem, double seconds[CB_MAX_ALGORITHMS]);

#endif
