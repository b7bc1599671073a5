/* The learning rate as a function of the step. */
#include <cnnblas/net.h>
#include <math.h>
#include <string.h>

void cnnblas_net_schedule_init(cnnblas_net_schedule *schedule)
{
  if (schedule) memset(schedule, 0, sizeof *schedule);
}

double cnnblas_net_schedule_rate(const cnnblas_net_schedule *s, int64_t step)
{
  static const double pi = 3.14159265358979323846;
  if (!s || step < 0 || s->epoch_steps < 1 || s->warm_up < 0 || s->count < 0 || (s->count && !s->steps)) return NAN;
  if (step < s->warm_up) return s->lr * (double)(step + 1) / (double)s->warm_up;
  if (s->kind == CNNBLAS_NET_LR_STEPS) return cnnblas_lr_get(s->lr, s->steps, s->count, step / s->epoch_steps);
  if (s->kind != CNNBLAS_NET_LR_COSINE) return NAN;
  double done = (double)(step - s->warm_up), all = (double)s->epochs * (double)s->epoch_steps - (double)s->warm_up;
  return done < all ? s->lr * (1 + cos(pi * done / all)) / 2 : 0;
}
