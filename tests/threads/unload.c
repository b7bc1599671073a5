/*
 * A plug-in's life: the library that argv[1] names is loaded, convolves on two threads and is unloaded, 100 times. The
 * program itself needs no OpenMP, so nothing but the library keeps libgomp and its sleeping threads' code in memory.
 */
#include <cnnblas/conv.h>
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROUNDS = 100 };

static int complain(const char *what)
{
  fprintf(stderr, "%s: %s\n", what, dlerror());
  return 1;
}

/* A function of the library as an object pointer becomes a function pointer: ISO C has no cast for it. */
static void find(void *library, const char *name, void *function)
{
  void *symbol = dlsym(library, name);
  memcpy(function, &symbol, sizeof symbol);
}

static int convolve(void *library)
{
  cnnblas_status (*create)(const cnnblas_conv_desc *, cnnblas_conv_direction, const cnnblas_conv_options *,
                           cnnblas_conv_plan **);
  cnnblas_status (*forward)(const cnnblas_conv_plan *, int64_t, const void *, const void *,
                            const cnnblas_conv_epilogue *, void *, void *, size_t);
  void (*destroy)(cnnblas_conv_plan *);
  find(library, "cnnblas_conv_plan_create", &create);
  find(library, "cnnblas_conv_forward", &forward);
  find(library, "cnnblas_conv_plan_destroy", &destroy);
  if (!create || !forward || !destroy) return complain("a function is missing");
  const cnnblas_conv_desc desc = {.n = 4, .c = 8, .k = 16, .size = {32, 32}, .kernel = {3, 3}};
  const cnnblas_conv_options options = {.threads = 2};
  cnnblas_conv_plan *plan;
  float *x = calloc(4 * 8 * 32 * 32, sizeof *x), *w = calloc(16 * 8 * 9, sizeof *w),
        *y = calloc(4 * 16 * 900, sizeof *y);
  int failed = !x || !w || !y || create(&desc, CNNBLAS_FORWARD, &options, &plan);
  if (!failed) {
    failed = forward(plan, 4, x, w, NULL, y, NULL, 0) != CNNBLAS_OK;
    destroy(plan);
  }
  free(x), free(w), free(y);
  return failed;
}

int main(int argc, char **argv)
{
  if (argc != 2) return 2;
  for (int i = 0; i < ROUNDS; i++) {
    void *library = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
    if (!library) return complain(argv[1]);
    if (convolve(library)) return 1;
    if (dlclose(library)) return complain("dlclose");
    library = dlopen(argv[1], RTLD_NOW | RTLD_NOLOAD);
    if (!library) return complain("it has been unloaded");
    dlclose(library);
  }
  return 0;
}
