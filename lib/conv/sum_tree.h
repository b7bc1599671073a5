/*
 * The binary tree in which the parts of a sum over images and pixels are joined, so that the bits of a gradient do not
 * depend on who adds what. The shape fixes the leaves. A task owns an aligned subtree, whatever its height: which
 * height is one follows the team.
 *
 *              +
 *         +         +          8 leaves; 2 tasks would own 4 of them each, 8 tasks one each
 *       +   +     +   +
 *      0 1 2 3   4 5 6 7
 */
#ifndef CB_CONV_SUM_TREE_H
#define CB_CONV_SUM_TREE_H

#include "base/parallel.h"
#include "conv/row.h"

enum { CB_TREE_MOST_SLOTS = 64 }; /* slots that are enough for any number of leaves */

/* The largest power of two that is at most `most`, or 1 if `most` is less. */
static inline int64_t cb_power_of_two(int64_t most)
{
  int64_t power = 1;
  while (power <= most / 2) power *= 2;
  return power;
}

/* Number of slots that cb_tree_sum uses for so many leaves: their binary logarithm, rounded up, plus 1. */
static inline int cb_tree_slots(int64_t leaves)
{
  int slots = 1;
  for (int64_t reached = 1; reached < leaves; reached *= 2) slots++;
  return slots;
}

/* How leaves are made and partial results joined. A slot has room for one partial result. */
typedef struct {
  void *context;
  void (*leaf)(void *context, int64_t leaf, int slot); /* makes the part of one leaf in the slot */
  void (*join)(void *context, int slot);               /* adds slot + 1 to the slot */
} cb_tree;

/* slot = the sum of leaves [first, first + count), joined as the tree says: the left half of a subtree has the largest
   power of two below its number of leaves. */
void cb_tree_sum(const cb_tree *tree, int64_t first, int64_t count, int slot);

/* Adds the loop that joins partial results of a weight gradient, [segments][elements] in the call's shared workspace,
   one for each subtree of equal height, and overwrites them: out = (or +=) their sum. segments is a power of two; if it
   is 1 there is nothing to join. */
void cb_tree_add_join(cb_call *call, int64_t segments);

#endif
