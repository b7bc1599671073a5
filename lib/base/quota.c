/*
 * CPU quotas of control groups, as the kernel shows them:
 *
 *   /proc/self/cgroup      a line a hierarchy: "0::/a/b" (version 2), "4:cpu,cpuacct:/a/b" (version 1); group /a/b
 *   /proc/self/mountinfo   "36 25 0:31 /a /sys/fs/cgroup rw - cgroup2 cgroup2 rw": group /a is folder /sys/fs/cgroup
 *   cpu.max                version 2: "150000 100000", microseconds in each period, or "max 100000"
 *   cpu.cfs_quota_us, cpu.cfs_period_us    version 1: the same two numbers; a quota of -1 is none
 *
 * A group has no more time than each of its ancestors, so the least of them counts, as far up as the mount shows them.
 * Anything that is missing or not as above is no limit. In the kernel's documentation: cgroup-v2.rst, sched-bwc.rst.
 */
#define _GNU_SOURCE
#include "base/quota.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The most bytes of each, with the terminating NUL. A longer line is read as an empty one, a longer path is skipped. */
enum { LONGEST_LINE = 2048, LONGEST_GROUP = 1024, LONGEST_PATH = 2048, LONGEST_FILE_NAME = 32 };

typedef enum { VERSION_1, VERSION_2, VERSIONS } version;

/* ---- lines of a file ---- */

typedef struct {
  int fd;
  size_t at, filled;
  char bytes[512];
} source;

static bool next_byte(source *s, char *byte)
{
  if (s->at == s->filled) {
    ssize_t got;
    do got = read(s->fd, s->bytes, sizeof s->bytes);
    while (got < 0 && errno == EINTR);
    if (got <= 0) return false;
    s->at = 0;
    s->filled = (size_t)got;
  }
  *byte = s->bytes[s->at++];
  return true;
}

/* Reads the next line, without its end; false after the last line. */
static bool next_line(source *s, char *line, size_t size)
{
  size_t length = 0;
  char byte;
  bool any = false, fits = true;
  while (next_byte(s, &byte)) {
    any = true;
    if (byte == '\n') break;
    fits = fits && length + 1 < size;
    if (fits) line[length++] = byte;
  }
  line[fits ? length : 0] = 0;
  return any;
}

static bool open_source(source *s, const char *path)
{
  s->at = s->filled = 0;
  s->fd = open(path, O_RDONLY | O_CLOEXEC);
  return s->fd >= 0;
}

/* ---- limits ---- */

/* The number above 0 that *text begins with, after white space; moves *text behind it. 0 if there is no number. */
static int64_t take_number(const char **text)
{
  const char *from = *text + strspn(*text, " \t");
  if (*from < '0' || *from > '9') return 0;
  char *end;
  long long number = strtoll(from, &end, 10);
  if (!strchr(" \t\n", *end)) return 0;
  *text = end;
  return number;
}

/* Reads the first line of folder/name, which holds `count` numbers above 0; false if it holds anything else. */
static bool read_numbers(const char *folder, const char *name, int count, int64_t *numbers)
{
  char path[LONGEST_PATH + LONGEST_FILE_NAME], line[128];
  source s;
  snprintf(path, sizeof path, "%s/%s", folder, name);
  if (!open_source(&s, path)) return false;
  bool read = next_line(&s, line, sizeof line);
  close(s.fd);
  const char *text = line;
  for (int i = 0; i < count && read; i++) read = (numbers[i] = take_number(&text)) > 0;
  return read && !text[strspn(text, " \t")];
}

/* How many processors one group allows; 0: it has no limit. */
static int64_t limit_of(version v, const char *folder)
{
  int64_t n[2]; /* quota, period */
  bool limited = v == VERSION_2 ? read_numbers(folder, "cpu.max", 2, n)
                                : read_numbers(folder, "cpu.cfs_quota_us", 1, &n[0]) &&
                                      read_numbers(folder, "cpu.cfs_period_us", 1, &n[1]);
  if (!limited) return 0;
  int64_t processors = (n[0] - 1) / n[1] + 1;
  return processors < INT_MAX ? processors : INT_MAX;
}

/* The lesser of two limits, of which 0 is none. */
static int64_t lesser(int64_t a, int64_t b)
{
  return !a || (b && b < a) ? b : a;
}

/* The least limit of a group's folder and of the folders above it; the first `top` bytes are the mount point. */
static int64_t least_limit(version v, char *folder, size_t top)
{
  int64_t least = 0;
  while (true) {
    least = lesser(least, limit_of(v, folder));
    char *slash = strrchr(folder + top, '/');
    if (!slash) return least;
    *slash = 0;
  }
}

/* ---- /proc/self/cgroup ---- */

/* True if one of the list's words, which stand between commas, is `word`. */
static bool has_word(const char *list, const char *word)
{
  size_t length = strlen(word);
  for (const char *at = list; at; at = strchr(at, ',')) {
    at += *at == ',';
    if (!strncmp(at, word, length) && (!at[length] || at[length] == ',')) return true;
  }
  return false;
}

/* Finds the process's group in each version's hierarchy; "" where there is none. */
static void read_groups(const char *root, char groups[VERSIONS][LONGEST_GROUP])
{
  char path[LONGEST_PATH], line[LONGEST_LINE];
  source s;
  groups[VERSION_1][0] = groups[VERSION_2][0] = 0;
  snprintf(path, sizeof path, "%s/proc/self/cgroup", root);
  if (!open_source(&s, path)) return;
  while (next_line(&s, line, sizeof line)) {
    char *rest = line, *number = strsep(&rest, ":"), *controllers = rest ? strsep(&rest, ":") : NULL;
    if (!rest || rest[0] != '/' || strlen(rest) >= LONGEST_GROUP) continue;
    if (!strcmp(number, "0") && !controllers[0]) memcpy(groups[VERSION_2], rest, strlen(rest) + 1);
    if (has_word(controllers, "cpu")) memcpy(groups[VERSION_1], rest, strlen(rest) + 1);
  }
  close(s.fd);
}

/* ---- /proc/self/mountinfo ---- */

/* One mounted part of a hierarchy: the group `root` is the folder `point`. */
typedef struct {
  version v;
  const char *root, *point;
} mount;

/* Turns "\040" into the byte it stands for, in place. */
static void unescape(char *text)
{
  char *to = text;
  for (const char *from = text; *from; to++) {
    bool octal = from[0] == '\\' && strspn(from + 1, "01234567") >= 3;
    *to = octal ? (char)((from[1] - '0') * 64 + (from[2] - '0') * 8 + from[3] - '0') : *from;
    from += octal ? 4 : 1;
  }
  *to = 0;
}

/* Takes a line of mountinfo apart, in place; false if it is no mount of a hierarchy that can hold a CPU quota. */
static bool parse_mount(char *line, mount *m)
{
  char *rest = strstr(line, " - "), *fields[5];
  if (!rest) return false;
  *rest = 0;
  rest += 3;
  char *type = strsep(&rest, " ");
  if (rest) strsep(&rest, " ");
  for (int i = 0; i < 5; i++)
    if (!(fields[i] = strsep(&line, " "))) return false;
  m->v = strcmp(type, "cgroup2") ? VERSION_1 : VERSION_2;
  if (m->v == VERSION_1 && (strcmp(type, "cgroup") != 0 || !rest || !has_word(rest, "cpu"))) return false;
  unescape(fields[3]);
  unescape(fields[4]);
  m->root = fields[3];
  m->point = fields[4];
  return true;
}

/* The rest of a group's path below a mount's root: "" or "/..."; NULL if the group is not below it. */
static const char *below(const char *group, const char *mounted)
{
  size_t length = strcmp(mounted, "/") ? strlen(mounted) : 0;
  if (strncmp(group, mounted, length) != 0 || (group[length] && group[length] != '/')) return NULL;
  return strcmp(group + length, "/") ? group + length : "";
}

/* True if a path leads out of where it begins: the process was moved out of its cgroup namespace. */
static bool leads_out(const char *path)
{
  return !strncmp(path, "/..", 3) && (!path[3] || path[3] == '/');
}

int cb_quota_read(const char *root)
{
  char groups[VERSIONS][LONGEST_GROUP], path[LONGEST_PATH], line[LONGEST_LINE];
  int64_t within[VERSIONS] = {0}, beside[VERSIONS] = {0};
  bool shown[VERSIONS] = {false};
  source s;
  mount m;
  read_groups(root, groups);
  snprintf(path, sizeof path, "%s/proc/self/mountinfo", root);
  if (!open_source(&s, path)) return 0;
  while (next_line(&s, line, sizeof line)) {
    if (!parse_mount(line, &m) || !groups[m.v][0]) continue;
    const char *rest = below(groups[m.v], m.root);
    if (rest && leads_out(rest)) continue;
    int length = snprintf(path, sizeof path, "%s%s%s", root, m.point, rest ? rest : "");
    if (length < 0 || length >= (int)sizeof path) continue;
    int64_t limit = least_limit(m.v, path, strlen(root) + strlen(m.point));
    if (rest) {
      shown[m.v] = true;
      within[m.v] = lesser(within[m.v], limit);
    } else {
      beside[m.v] = lesser(beside[m.v], limit);
    }
  }
  close(s.fd);
  /* No mount shows the group by its path: what is mounted then is what the container was given as its root. */
  for (int v = 0; v < VERSIONS; v++)
    if (!shown[v]) within[v] = beside[v];
  return (int)lesser(within[VERSION_1], within[VERSION_2]);
}

static int quota;

static void read_once(void)
{
  quota = cb_quota_read("");
}

int cb_quota(void)
{
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, read_once);
  return quota;
}
