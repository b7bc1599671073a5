/* The loop of peaks_fma.c for one vector type: included with VECTOR (the type), CHAINS, NAME and TARGET defined. */

/* sum = sum * factor + term in CHAINS independent chains, which hide the latency of 4 or 5 cycles at two a cycle. */
TARGET static double NAME(int64_t iterations)
{
  VECTOR sum[CHAINS], factor = {0}, term = {0}, total = {0};
  for (size_t lane = 0; lane < sizeof factor / sizeof factor[0]; lane++) {
    factor[lane] = start[0];
    term[lane] = start[1];
  }
  for (int i = 0; i < CHAINS; i++) sum[i] = term * (float)(i + 1); /* all different, or they would become one */
  for (int64_t j = 0; j < iterations; j++) {
#pragma GCC unroll 16
    for (int i = 0; i < CHAINS; i++) sum[i] = sum[i] * factor + term;
  }
  for (int i = 0; i < CHAINS; i++) total += sum[i];
  double result = 0;
  for (size_t lane = 0; lane < sizeof total / sizeof total[0]; lane++) result += (double)total[lane];
  return result;
}
