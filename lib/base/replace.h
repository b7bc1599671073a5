/*
 * A file's content put in the place of its old one, whole or not at all. The library and the programs write through
 * this one source: it needs nothing of the library, and each compiles it into itself.
 *
 * A symbolic link is followed: the file that it leads to is replaced, and the link stays. The new file has the old
 * one's mode, and its owner and group where the process may set them. The content goes to a temporary file beside the
 * target, made with O_EXCL under a name with 64 random bits, is flushed to the disk, and takes the target's name by
 * rename.
 *
 * What is not a regular file (a device, a pipe, what /proc/self/fd leads to) is never renamed over: it is refused, or
 * written straight where the caller asks for that. A file that the process may not write is refused as well.
 */
#ifndef CB_BASE_REPLACE_H
#define CB_BASE_REPLACE_H

#include <limits.h>
#include <stdbool.h>

typedef struct {
  int fd;            /* the descriptor of the new file, to which the content is written */
  bool straight;     /* fd is the target itself, not a regular file */
  const char *doing; /* after a failure: what failed ("create"); NULL where the target was refused, not being regular */
  char target[PATH_MAX], temporary[PATH_MAX];
} cb_replacement;

/* Opens the new file; `straight`: a target that is not a regular file is written to rather than refused. Returns 0, or
   -1 with errno set and nothing left open. */
int cb_replace_begin(cb_replacement *r, const char *path, bool straight);

/* Ends a replacement: with `keep` the new content takes the target's place, without it the target stays as it was.
   Returns 0, or -1 with errno set; the target then has its old content, or the new one if only its folder's flush
   failed. */
int cb_replace_end(cb_replacement *r, bool keep);

/* Whether cb_replace_begin would open the path, found out by opening it; what is not a regular file is not opened. */
int cb_replace_check(cb_replacement *r, const char *path, bool straight);

#endif
