/*
 * Measured choices by problem: the object (wisdom.c) and its text form (wisdom_file.c).
 *
 * A key is what a choice depends on, in numbers: the problem with its geometry, where padding, mode and defaults are
 * already folded into base and step; not the threads.
 */
#ifndef CB_CONV_WISDOM_H
#define CB_CONV_WISDOM_H

#include "conv/row.h"

/* A key's numbers: accumulate, budget, n, c, k, groups; in, out, taps, stride, base, step of d, h, w. */
enum { CB_WISDOM_NUMBERS = 24 };

typedef struct {
  int64_t number[CB_WISDOM_NUMBERS];
  int32_t dtype, direction, accuracy;
} cb_wisdom_key;

typedef struct {
  cb_wisdom_key key;
  const cb_algorithm *algorithm;
  bool any_orientation; /* a file gave the name alone: the estimate chooses among the rows of that name */
} cb_wisdom_entry;

/* Entries in ascending order of their keys; the list owns them. */
typedef struct {
  cb_wisdom_entry *items;
  size_t count, capacity;
} cb_wisdom_list;

struct cnnblas_wisdom {
  cb_wisdom_list list; /* read and changed under the lock only */
};

/* One lock for every wisdom of the process, which a child of fork() finds open. It is held for a search or a copy,
   never while something is measured. */
void cb_wisdom_lock(void);
void cb_wisdom_unlock(void);

/* The index in the list where the key stands (*found becomes true) or would stand (false). */
size_t cb_wisdom_place(const cb_wisdom_list *list, const cb_wisdom_key *key, bool *found);

/* Inserts an entry at an index from cb_wisdom_place. If it fails with CNNBLAS_OUT_OF_MEMORY the list stays as it
   was. */
cnnblas_status cb_wisdom_insert(cb_wisdom_list *list, size_t place, const cb_wisdom_entry *entry);

/* The algorithm kept for a problem, or NULL if there is none or if it does not apply any more. */
const cb_algorithm *cb_wisdom_find(cnnblas_wisdom *wisdom, const cb_problem *problem);

/* Keeps *algorithm for the problem; if another thread's choice is there already, *algorithm becomes that. */
cnnblas_status cb_wisdom_keep(cnnblas_wisdom *wisdom, const cb_problem *problem, const cb_algorithm **algorithm);

#endif
