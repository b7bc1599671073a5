/* Guard pages and patterns around arrays; see guarded.h. */
#define _GNU_SOURCE
#include "support/guarded.h"
#include "support/harness.h"
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { PATTERN_BYTES = 512, PATTERN = 0xa5 }; /* bytes of slack next to the array that are watched */

static size_t page_bytes(void)
{
  return (size_t)sysconf(_SC_PAGESIZE);
}

/* Maps the first `usable` bytes of a file between two pages that nobody may touch. */
static char *map_view(int file, size_t usable, int protection)
{
  size_t page = page_bytes();
  char *map = mmap(NULL, usable + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  assert_true(map != MAP_FAILED);
  char *view = mmap(map + page, usable, protection, MAP_SHARED | MAP_FIXED, file, 0);
  assert_true(view == map + page);
  return view;
}

static void unmap_view(char *view, size_t usable)
{
  munmap(view - page_bytes(), usable + 2 * page_bytes());
}

static void map_pages(guarded *g, size_t bytes)
{
  size_t page = page_bytes(), usable = (bytes + page) / page * page;
  int file = memfd_create("guarded", MFD_CLOEXEC);
  assert_true(file >= 0);
  assert_int_equal(ftruncate(file, (off_t)usable), 0);
  g->pages = map_view(file, usable, PROT_READ | PROT_WRITE);
  g->sealed = map_view(file, usable, PROT_READ);
  g->capacity = usable;
  close(file);
}

static bool is_sealed(const guarded *g)
{
  return (char *)g->data >= g->sealed && (char *)g->data <= g->sealed + g->capacity;
}

/* The watched slack: behind an array at the start, in front of an array at the end. */
static unsigned char *slack_of(const guarded *g, size_t *bytes)
{
  size_t slack = g->capacity - g->bytes;
  *bytes = slack < PATTERN_BYTES ? slack : PATTERN_BYTES;
  bool at_start = (char *)g->data == (is_sealed(g) ? g->sealed : g->pages);
  return at_start ? (unsigned char *)g->data + g->bytes : (unsigned char *)g->data - *bytes;
}

void guarded_reset(guarded *g, size_t bytes, placement where)
{
  g->opened = true;
  if (g->capacity < bytes || !g->pages) {
    guarded_free(g);
    map_pages(g, bytes);
  }
  g->bytes = bytes;
  g->data = where == AGAINST_START && bytes ? g->pages : g->pages + g->capacity - bytes;
  size_t slack;
  unsigned char *pattern = slack_of(g, &slack);
  memset(pattern, PATTERN, slack);
}

void guarded_protect(guarded *g, bool protect)
{
  if (!protect) g->opened = true;
  if (!g->pages || is_sealed(g) == protect) return;
  g->data = protect ? guarded_sealed(g, g->data) : g->pages + ((char *)g->data - g->sealed);
}

void *guarded_sealed(const guarded *g, const void *p)
{
  return (void *)((uintptr_t)p - (uintptr_t)g->pages + (uintptr_t)g->sealed);
}

bool guarded_intact(const guarded *g)
{
  if (!g->pages) return true;
  size_t slack;
  const unsigned char *pattern = slack_of(g, &slack);
  for (size_t i = 0; i < slack; i++)
    if (pattern[i] != PATTERN) return false;
  return true;
}

void guarded_free(guarded *g)
{
  if (g->pages) {
    unmap_view(g->pages, g->capacity);
    unmap_view(g->sealed, g->capacity);
  }
  memset(g, 0, sizeof *g);
}
