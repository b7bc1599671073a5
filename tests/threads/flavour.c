/* Exit status 0 if OpenBLAS's flavour is argv[1]: "serial", "pthread" or "openmp". */
#include <cblas.h>
#include <stdio.h>
#include <string.h>

int main(int argc, char **argv)
{
  static const char *const names[] = {"serial", "pthread", "openmp"};
  int parallel = openblas_get_parallel();
  if (argc == 2 && parallel >= 0 && parallel <= 2 && strcmp(names[parallel], argv[1]) == 0) return 0;
  fprintf(stderr, "OpenBLAS's flavour is number %d, not %s\n", parallel, argc == 2 ? argv[1] : "given");
  return 1;
}
