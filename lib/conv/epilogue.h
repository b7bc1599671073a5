/* What happens to a block of y after its sums are stored: bias, residual, activation, in that order. */
#ifndef CB_CONV_EPILOGUE_H
#define CB_CONV_EPILOGUE_H

#include "conv/row.h"

/* Applies the call's epilogue in place to y[in][ik][p] for k0 <= ik < k1, p0 <= p < p1; returns at once if there is
   nothing to do. */
void cb_epilogue_apply(const cb_call *call, int64_t in, int64_t k0, int64_t k1, int64_t p0, int64_t p1);

/* Adds the loop after which y of the whole call is f(y), f being the activation of the call's pass. */
void cb_activation_add(cb_call *call);

/* Adds the loop of the bias gradient, db[ik] = (or +=) sum over in, p of dy[in][ik][p]: images are added in
   order, pixels in blocks of fixed size. */
void cb_bias_gradient_add(cb_call *call);

#endif
