/* How many processors' worth of time the process's control groups (cgroups) allow. */
#ifndef CB_BASE_QUOTA_H
#define CB_BASE_QUOTA_H

/*
 * The least CPU quota of the process's group and of the group's ancestors, in processors, rounded up; 0 where there is
 * none or where it cannot be read. `root` stands before every path that is read: "" for the machine, a folder with a
 * recorded tree in tests. Reads files, allocates nothing. Thread safe.
 */
int cb_quota_read(const char *root);

/* The result of cb_quota_read(""), which is called once a process. Thread safe. */
int cb_quota(void);

#endif
