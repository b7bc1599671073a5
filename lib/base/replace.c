/* Files replaced whole; see replace.h. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "base/replace.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

enum {
  MOST_LINKS = 40, /* the most links that are followed, as many as Linux follows */
  MOST_NAME = 200, /* the most characters of the target's name in the temporary's: NAME_MAX less the random part */
  TRIES = 100      /* the most names that are tried for the temporary file */
};

static int fail(cb_replacement *r, const char *doing, int reason)
{
  r->doing = doing;
  r->fd = -1;
  errno = reason;
  return -1;
}

/* The length of a path's folder with its last slash, 0 without one. */
static size_t folder_length(const char *path)
{
  const char *slash = strrchr(path, '/');
  return slash ? (size_t)(slash - path) + 1 : 0;
}

/* Writes a path's folder, as a path of its own, to `folder`, which has PATH_MAX bytes. */
static void folder_of(const char *path, char *folder)
{
  size_t length = folder_length(path);
  memcpy(folder, length ? path : ".", length ? length : 1);
  folder[length ? length : 1] = 0;
}

static bool in_proc(const char *path)
{
  char folder[PATH_MAX];
  struct statfs about;
  folder_of(path, folder);
  return statfs(folder, &about) == 0 && about.f_type == PROC_SUPER_MAGIC;
}

/* Follows the links of the path's last name until it is a file, or nothing yet. *magic: a link of /proc was met, which
   leads to an open file rather than to a name. */
static int follow(const char *path, char *to, bool *magic)
{
  char link[PATH_MAX];
  size_t length = strlen(path);
  *magic = false;
  errno = length ? ENAMETOOLONG : ENOENT;
  if (!length || length >= PATH_MAX) return -1;
  memcpy(to, path, length + 1);
  for (int i = 0; i < MOST_LINKS; i++) {
    ssize_t got = readlink(to, link, sizeof link - 1);
    if (got < 0) return errno == EINVAL || errno == ENOENT ? 0 : -1;
    link[got] = 0;
    if ((*magic = in_proc(to))) return 0;
    size_t folder = link[0] == '/' ? 0 : folder_length(to);
    errno = ENAMETOOLONG;
    if (folder + (size_t)got >= PATH_MAX) return -1;
    memcpy(to + folder, link, (size_t)got + 1);
  }
  errno = ELOOP;
  return -1;
}

/* Looks at what stands at the path: fills r->target, r->straight and *about, its mode 0 if nothing is there yet. */
static int look(cb_replacement *r, const char *path, struct stat *about)
{
  bool magic;
  if (follow(path, r->target, &magic)) return fail(r, "create", errno);
  r->straight = false;
  about->st_mode = 0;
  if (stat(path, about)) {
    about->st_mode = 0;
    if (errno != ENOENT) return fail(r, "create", errno);
    return r->target[strlen(r->target) - 1] == '/' ? fail(r, "create", EISDIR) : 0;
  }
  r->straight = magic || !S_ISREG(about->st_mode);
  if (faccessat(AT_FDCWD, path, W_OK, AT_EACCESS)) return fail(r, "write", errno);
  return 0;
}

static int open_again(const char *path, int flags, mode_t mode)
{
  int fd;
  do fd = open(path, flags | O_CLOEXEC | O_NOCTTY, mode);
  while (fd < 0 && errno == EINTR);
  return fd;
}

/* Random bits for a name. Only names that nobody uses are opened, so a poor random number costs a try and no file. */
static uint64_t random_bits(void)
{
  uint64_t bits;
  struct timespec now;
  if (getrandom(&bits, sizeof bits, GRND_NONBLOCK) == (ssize_t)sizeof bits) return bits;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_nsec << 32 ^ (uint64_t)getpid() << 20 ^ (uint64_t)now.tv_sec;
}

static int open_temporary(cb_replacement *r, mode_t mode)
{
  size_t folder = folder_length(r->target), name = strlen(r->target + folder);
  if (folder + name >= PATH_MAX - 32) return fail(r, "create", ENAMETOOLONG);
  int kept = (int)(folder + (name < MOST_NAME ? name : MOST_NAME));
  r->fd = -1;
  for (int i = 0; i < TRIES && r->fd < 0; i++) {
    snprintf(r->temporary, sizeof r->temporary, "%.*s.%016llx.tmp", kept, r->target, (unsigned long long)random_bits());
    r->fd = open_again(r->temporary, O_WRONLY | O_CREAT | O_EXCL, mode);
    if (r->fd < 0 && errno != EEXIST) break;
  }
  return r->fd < 0 ? fail(r, "create", errno) : 0;
}

/* Gives fd the old file's owner, group and mode, as far as the process may. Whoever is in a group that could not be
   kept gets no more than everyone has. */
static void take_rights(int fd, const struct stat *old)
{
  mode_t mode = old->st_mode & 0777;
  if (fchown(fd, old->st_uid, old->st_gid) && fchown(fd, (uid_t)-1, old->st_gid))
    mode &= (mode_t)(~(mode_t)070 | (mode & 07) << 3);
  (void)!fchmod(fd, mode); /* some file systems have no modes */
}

int cb_replace_begin(cb_replacement *r, const char *path, bool straight)
{
  struct stat old;
  if (look(r, path, &old)) return -1;
  if (r->straight) {
    if (S_ISDIR(old.st_mode) || !straight) return fail(r, NULL, S_ISDIR(old.st_mode) ? EISDIR : EINVAL);
    r->fd = open_again(path, O_WRONLY | O_APPEND, 0);
    return r->fd < 0 ? fail(r, "open", errno) : 0;
  }
  if (open_temporary(r, old.st_mode ? 0600 : 0666)) return -1;
  if (old.st_mode) take_rights(r->fd, &old);
  return 0;
}

/* Flushes the target's folder, without which the new name is not on the disk. Some file systems cannot flush a folder,
   and one that may be written but not read cannot be opened for it. */
static int sync_folder(cb_replacement *r)
{
  char folder[PATH_MAX];
  folder_of(r->target, folder);
  int fd = open_again(folder, O_RDONLY | O_DIRECTORY, 0);
  if (fd < 0) return errno == EACCES ? 0 : fail(r, "open its folder to sync", errno);
  int failed = fsync(fd), reason = errno;
  close(fd);
  if (!failed || reason == EINVAL || reason == ENOTSUP) return 0;
  return fail(r, "sync its folder", reason);
}

int cb_replace_end(cb_replacement *r, bool keep)
{
  const char *failed = NULL;
  int reason = 0;
  if (keep && !r->straight && fsync(r->fd)) failed = "sync", reason = errno;
  if (close(r->fd) && !failed && keep) failed = "close", reason = errno;
  r->fd = -1;
  if (r->straight) return failed ? fail(r, failed, reason) : 0;
  if (keep && !failed && rename(r->temporary, r->target)) failed = "rename the finished file to it", reason = errno;
  if (keep && !failed) return sync_folder(r);
  unlink(r->temporary);
  return failed ? fail(r, failed, reason) : 0;
}

int cb_replace_check(cb_replacement *r, const char *path, bool straight)
{
  struct stat old;
  if (look(r, path, &old)) return -1;
  if (r->straight && !S_ISDIR(old.st_mode) && straight) return 0;
  return cb_replace_begin(r, path, straight) ? -1 : cb_replace_end(r, false);
}
