/* Where sums are cut; see chains.h. */
#include "conv/chains.h"

int64_t cb_chain_count(const cb_chain_rule *rule, const cb_gather *gather)
{
  if (!rule->whole || gather->q <= rule->most) return cb_max(1, cb_ceil_div(gather->q, rule->most));
  if (gather->taps > rule->most) return gather->channels * cb_ceil_div(gather->taps, rule->most);
  return cb_ceil_div(gather->channels, rule->most / gather->taps);
}

int64_t cb_chain_cut(const cb_chain_rule *rule, const cb_gather *gather, int64_t i)
{
  const int64_t count = cb_chain_count(rule, gather);
  if (!rule->whole || count == 1) return i < count ? cb_split(gather->q, count, i) : gather->q;
  if (gather->taps <= rule->most) return cb_split(gather->channels, count, i) * gather->taps;
  const int64_t parts = cb_ceil_div(gather->taps, rule->most);
  return i / parts * gather->taps + cb_split(gather->taps, parts, i % parts);
}
