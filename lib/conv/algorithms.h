/* The ordered table of algorithms, and the choice among them. */
#ifndef CB_CONV_ALGORITHMS_H
#define CB_CONV_ALGORITHMS_H

#include "conv/row.h"

/* Row i of the table; NULL past its end. */
const cb_algorithm *cb_algorithm_at(int i);

/* The row whose full name this is, else the first row whose name without orientation it is, else NULL. */
const cb_algorithm *cb_algorithm_find(const char *name);

/* True if the name asks for the row: its full name, or its name without orientation. NULL asks for every row. */
bool cb_algorithm_named(const cb_algorithm *row, const char *name);

/* True if the row can do the problem, packed or not; if it cannot, `why` gets the reason, in at most `size` bytes. */
bool cb_algorithm_applies(const cb_algorithm *row, const cb_problem *problem, char *why, size_t size);

/* The factor of the row's norm-wise bound, as cnnblas_algorithm_info has it; 0 if it holds the element-wise one. */
int32_t cb_norm_factor(const cb_algorithm *row);

/* True if the row's bound is one that the problem's accuracy policy allows the automatic choice. */
bool cb_algorithm_allowed(const cb_algorithm *row, const cb_problem *problem);

/*
 * The cheapest row by estimate, of those that apply and that `name` asks for; without a name, of those that the
 * accuracy policy allows. First the name of a row is chosen, then, among the rows of that name, the orientation. The
 * table's order breaks ties; a row by_name_only is taken when no other applies. seconds[] gets the estimates of the
 * rows that apply, 0 for the others. If no row applies the result is NULL, and `why` gets the reason of one of them.
 */
const cb_algorithm *cb_algorithm_choose(const cb_problem *problem, const char *name, double seconds[CB_MAX_ALGORITHMS],
                                        char *why, size_t size);

#endif
