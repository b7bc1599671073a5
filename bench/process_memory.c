/* Pages from mmap, resident memory from Linux's /proc; see process_memory.h. */
#define _GNU_SOURCE
#include "process_memory.h"
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

enum { PAGE = 4096 };

static size_t rounded(size_t size)
{
  return size < PAGE ? PAGE : size;
}

/* The kB value of a line "Name:  123 kB" of a /proc file, in bytes; SIZE_MAX if it is not there. */
static size_t proc_value(const char *path, const char *name)
{
  FILE *file = fopen(path, "r");
  if (!file) return SIZE_MAX;
  char line[256];
  size_t value = SIZE_MAX, letters = strlen(name);
  while (value == SIZE_MAX && fgets(line, sizeof line, file)) {
    unsigned long long kilobytes;
    if (strncmp(line, name, letters) == 0 && sscanf(line + letters, ": %llu", &kilobytes) == 1)
      value = (size_t)kilobytes * 1024;
  }
  fclose(file);
  return value;
}

size_t bench_memory_available(void)
{
  return proc_value("/proc/meminfo", "MemAvailable");
}

void *bench_pages(size_t size)
{
  if (rounded(size) > bench_memory_available() / 20 * 19) return NULL;
  void *pages = mmap(NULL, rounded(size), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return pages == MAP_FAILED ? NULL : pages;
}

void bench_pages_free(void *pages, size_t size)
{
  if (pages) munmap(pages, rounded(size));
}

size_t bench_memory_begin(void)
{
  FILE *file = fopen("/proc/self/clear_refs", "w"); /* "5" brings the recorded peak down to the present size */
  if (!file) return SIZE_MAX;
  int written = fputs("5", file) >= 0;
  if (fclose(file) != 0 || !written) return SIZE_MAX;
  return proc_value("/proc/self/status", "VmRSS");
}

size_t bench_memory_growth(size_t begin)
{
  size_t peak = proc_value("/proc/self/status", "VmHWM");
  return begin == SIZE_MAX || peak == SIZE_MAX || peak < begin ? 0 : peak - begin;
}
