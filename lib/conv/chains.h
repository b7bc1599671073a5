/*
 * Chains: where a sum over (channel, tap) begins anew.
 *
 * An output's sum is cut into chains of multiply-adds, which are added in order: the error stays that of blocked
 * summation. All orientations of a level cut alike, and so have the same bits. A level that packs its lanes a chain at
 * a time (slivers) cuts at whole channels, since a band then holds no channel twice; a channel of more taps than a
 * chain may have is cut at fixed taps.
 */
#ifndef CB_CONV_CHAINS_H
#define CB_CONV_CHAINS_H

#include "conv/gather.h"

typedef struct {
  int64_t most; /* the most steps of a chain */
  bool whole;   /* chains begin at whole channels only */
} cb_chain_rule;

/* Number of chains that each of a gather's sums is cut into; at least 1. */
int64_t cb_chain_count(const cb_chain_rule *rule, const cb_gather *gather);

/* The step at which chain i begins; where i is the number of chains, the number of all steps. */
int64_t cb_chain_cut(const cb_chain_rule *rule, const cb_gather *gather, int64_t i);

#endif
