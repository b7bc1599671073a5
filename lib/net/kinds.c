/* The table of layer kinds, in the order in which errors list them. */
#include "net/kinds.h"

extern const cb_net_row cb_net_conv, cb_net_pool, cb_net_fc, cb_net_relu, cb_net_leaky, cb_net_sigmoid, cb_net_tanh,
    cb_net_clip, cb_net_elu, cb_net_selu, cb_net_softplus, cb_net_hsigmoid, cb_net_swish, cb_net_hswish, cb_net_gelu,
    cb_net_gpool, cb_net_bn, cb_net_dropout, cb_net_add, cb_net_mul, cb_net_cat, cb_net_tconv, cb_net_up;

const cb_net_row *const cb_net_rows[] = {
    &cb_net_conv,  &cb_net_pool,   &cb_net_fc,   &cb_net_relu,  &cb_net_leaky,    &cb_net_sigmoid,
    &cb_net_tanh,  &cb_net_clip,   &cb_net_elu,  &cb_net_selu,  &cb_net_softplus, &cb_net_hsigmoid,
    &cb_net_swish, &cb_net_hswish, &cb_net_gelu, &cb_net_gpool, &cb_net_bn,       &cb_net_dropout,
    &cb_net_add,   &cb_net_mul,    &cb_net_cat,  &cb_net_tconv, &cb_net_up,       NULL};
