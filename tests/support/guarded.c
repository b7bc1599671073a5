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

static void map_pages(guarded *g, size_t bytes)
{
  size_t page = page_bytes(), usable = (bytes + page) / page * page;
  char *map = mmap(NULL, usable + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  assert_true(map != MAP_FAILED);
  assert_int_equal(mprotect(map + page, usable, PROT_READ | PROT_WRITE), 0);
  g->pages = map + page;
  g->capacity = usable;
}

/* The watched slack: behind an array at the start, in front of an array at the end. */
static unsigned char *slack_of(const guarded *g, size_t *bytes)
{
  size_t slack = g->capacity - g->bytes;
  *bytes = slack < PATTERN_BYTES ? slack : PATTERN_BYTES;
  bool at_start = (char *)g->data == g->pages;
  return at_start ? (unsigned char *)g->data + g->bytes : (unsigned char *)g->data - *bytes;
}

void guarded_reset(guarded *g, size_t bytes, placement where)
{
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
  if (g->pages) assert_int_equal(mprotect(g->pages, g->capacity, protect ? PROT_READ : PROT_READ | PROT_WRITE), 0);
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
  if (g->pages) munmap(g->pages - page_bytes(), g->capacity + 2 * page_bytes());
  memset(g, 0, sizeof *g);
}
