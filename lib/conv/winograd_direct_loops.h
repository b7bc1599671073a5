/* The loops of winograd_direct.c for one type: included with REAL and NAME(x) defined. */

static void NAME(again)(const cb_winograd_again *t)
{
  const cb_winograd_plan *st = t->st;
  const cb_geometry *geo = &t->call->plan->problem.geo;
  const int64_t lanes = st->kernels->lanes, plane = st->source[0] * st->source[1];
  const REAL *source =
      (const REAL *)(st->forward ? t->call->x : t->call->dy) + (t->image * geo->g + t->group) * st->channels * plane;
  const REAL *w = (const REAL *)raw_weights(t->call, st) + t->group * geo->kg * geo->q;
  const int64_t output_pitch = st->forward ? geo->q : geo->taps, channel_pitch = st->forward ? geo->taps : geo->q;
  for (int64_t l = 0; l < t->count; l++)
    for (int64_t r = 0; r < t->rows; r++)
      for (int64_t q = 0; q < t->columns; q++) {
        double sum = 0;
        for (int64_t c = 0; c < st->channels; c++)
          for (int i = 0; i < st->form->taps[0]; i++) {
            const int64_t h = t->row + r + st->first[0] + i, tap_h = st->turned[0] ? st->form->taps[0] - 1 - i : i;
            if (h < 0 || h >= st->source[0]) continue;
            for (int j = 0; j < st->form->taps[1]; j++) {
              const int64_t at = t->column + q + st->first[1] + j,
                            tap_w = st->turned[1] ? st->form->taps[1] - 1 - j : j;
              if (at < 0 || at >= st->source[1]) continue;
              sum += (double)source[c * plane + h * st->source[1] + at] *
                     (double)w[(t->output + l) * output_pitch + c * channel_pitch + tap_h * st->form->taps[1] + tap_w];
            }
          }
        ((REAL *)t->to)[(r * t->pitch + q) * lanes + l] = (REAL)sum;
      }
}

#undef REAL
#undef NAME
