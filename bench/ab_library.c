/*
 * Loads builds of libcnnblas; see ab_library.h.
 *
 * All builds have the same names inside, and the benchmark is linked with one of them. RTLD_LOCAL keeps a build's names
 * from those that are loaded later; RTLD_DEEPBIND makes its own calls find its own functions before those of the
 * benchmark's library. Its other libraries are already loaded under the same sonames, so OpenBLAS and the OpenMP
 * runtime are shared.
 */
#define _GNU_SOURCE
#include "ab_library.h"
#include "options.h"
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined RTLD_DEEPBIND && !BENCH_SANITIZED
enum { KEEP_APART = RTLD_DEEPBIND };
#else
enum {
  KEEP_APART = 0
}; /* the sanitizers' dlopen ends the program at RTLD_DEEPBIND; without it builds keep apart too, since
                            the benchmark exports nothing, but for what a preloaded library brings */
#endif

static const struct {
  const char *name, *old; /* old: in version 0.1, or NULL */
  size_t offset;          /* of its pointer in bench_library_api */
} calls[] = {
#define X(name, old) {"cnnblas_" #name, old, offsetof(bench_library_api, name)},
    BENCH_LIBRARY_CALLS(X)
#undef X
};

static int refuse(const bench_build *build, const char *why, const char *detail)
{
  fprintf(stderr, "cnnblas-bench: %s: %s%s\n", build->path, why, detail);
  return BENCH_BAD_INPUT;
}

/* Finds every call that the version has. Those that 0.1 has not an early 0.2 may not have either: they stay NULL. */
static int read_calls(bench_build *build, bool old)
{
  for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
    const char *name = old ? calls[i].old : calls[i].name;
    void *address = name ? dlsym(build->handle, name) : NULL;
    if (!address && calls[i].old) return refuse(build, "not a build of libcnnblas that can be timed: it has no ", name);
    memcpy((char *)&build->api + calls[i].offset, &address, sizeof address);
  }
  return BENCH_OK;
}

/* The build's version, or NULL if it has none. */
static const char *version_of(const bench_build *build)
{
  const char *(*version)(void);
  void *address = dlsym(build->handle, "cnnblas_version_string");
  memcpy(&version, &address, sizeof address);
  return address ? version() : NULL;
}

/* True if major and minor number are those that the benchmark was compiled with, so that the structs are the same; *old is
   true for 0.1, whose descriptors are the same too and whose options are a beginning of today's. */
static bool same_interface(const char *version, bool *old)
{
  int major, minor;
  if (sscanf(version, "%d.%d.", &major, &minor) != 2) return false;
  *old = CNNBLAS_VERSION_MAJOR == 0 && CNNBLAS_VERSION_MINOR == 2 && major == 0 && minor == 1;
  return *old || (major == CNNBLAS_VERSION_MAJOR && minor == CNNBLAS_VERSION_MINOR);
}

/* cnnblas_conv_forward_once makes its plan by a public call, which refuses an image without channels and leaves the reason in its own
   library's message: in this one's, unless the call went astray. */
static bool keeps_to_itself(const bench_build *build)
{
  const cnnblas_conv_desc no_channels = {.n = 1};
  return build->api.conv_forward_once(&no_channels, NULL, NULL, NULL, NULL) && build->api.last_error()[0];
}

static int open_build(bench_build *build)
{
  /* RTLD_NODELETE: threads of an OpenMP runtime that came with the build may outlive bench_build_close. */
  build->handle = dlopen(build->path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE | KEEP_APART);
  if (!build->handle) {
    /* The loader's message names the file already. */
    fprintf(stderr, "cnnblas-bench: not a library that can be loaded: %s\n", dlerror());
    return BENCH_BAD_INPUT;
  }
  bool old = false;
  const char *version = version_of(build);
  if (!version)
    return refuse(build, "not a build of libcnnblas that can be timed: it has no ", "cnnblas_version_string");
  if (!same_interface(version, &old)) {
    char own[80];
    snprintf(own, sizeof own, "%s; this benchmark speaks to %d.%d", version, CNNBLAS_VERSION_MAJOR,
             CNNBLAS_VERSION_MINOR);
    return refuse(build, "a build of version ", own);
  }
  int status = read_calls(build, old);
  if (status) return status;
  if (!keeps_to_itself(build)) return refuse(build, "its calls would end in another copy of the library", "");
  if (build->api.system_get_info(&build->system)) return refuse(build, build->api.last_error(), "");
  return BENCH_OK;
}

int bench_build_open(const char *path, bench_build *build)
{
  *build = (bench_build){.path = realpath(path, NULL)};
  if (!build->path) {
    fprintf(stderr, "cnnblas-bench: %s: %s\n", path, strerror(errno));
    return errno == ENOMEM ? BENCH_NO_MEMORY : BENCH_BAD_INPUT;
  }
  int status = open_build(build);
  if (status) bench_build_close(build);
  return status;
}

void bench_build_close(bench_build *build)
{
  if (build->handle) dlclose(build->handle);
  free(build->path);
  *build = (bench_build){0};
}
