/* The vector loops of the optimisers: a table for each type and level. Arrays of a call do not overlap. */
#ifndef CB_LAYERS_OPTIMISER_LOOPS_H
#define CB_LAYERS_OPTIMISER_LOOPS_H

#include <stdint.h>

/* p = p * kept - rate * m / (sqrt(v) * root + epsilon), after the moments have taken g. */
typedef struct {
  double beta1, beta2, kept, rate, root, epsilon;
} cb_adamw;

typedef struct {
  void (*nesterov)(double lr, double momentum, double decay, int64_t count, void *p, const void *g, void *v);
  void (*adamw)(const cb_adamw *how, int64_t count, void *p, const void *g, void *m, void *v);
  /* the sum of squares in double: 16 running sums over blocks, joined */
  double (*squares)(int64_t count, const void *g);
  void (*scale)(int64_t count, double factor, void *g);
  void (*average)(int64_t count, double share, const void *p, void *average);
} cb_optimiser_loops;

#endif
