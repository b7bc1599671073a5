/* The loops of epilogue.c for one type: included with REAL and NAME(x) defined. */

/* Sum of a plane's `count` elements in double: 16 running sums over each block of 4096 elements, joined in a tree;
   blocks are added in order. */
static double NAME(sum_plane)(const REAL *v, int64_t count)
{
  double total = 0;
  while (count > 0) {
    int64_t block = count < 4096 ? count : 4096, i = 0;
    double lane[16] = {0};
    for (; i + 16 <= block; i += 16)
      for (int j = 0; j < 16; j++) lane[j] += (double)v[i + j];
    for (; i < block; i++) lane[i % 16] += (double)v[i];
    for (int step = 8; step; step /= 2)
      for (int j = 0; j < step; j++) lane[j] += lane[j + step];
    total += lane[0];
    v += block;
    count -= block;
  }
  return total;
}

#undef REAL
#undef NAME
