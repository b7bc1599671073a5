/* CPU quotas of control groups, read from trees as the kernel shows them; each test builds its own in a temporary folder. */
#define _GNU_SOURCE
#include "base/quota.h"
#include "support/harness.h"
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char root[64];

static int make_root(void **state)
{
  (void)state;
  strcpy(root, "/tmp/cnnblas-quota-XXXXXX");
  return mkdtemp(root) ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *about, int type, struct FTW *where)
{
  (void)about, (void)type, (void)where;
  return remove(path);
}

static int remove_root(void **state)
{
  (void)state;
  return nftw(root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* Writes a file of the tree, and the folders that it stands in. */
static void put(const char *path, const char *text)
{
  char full[512];
  snprintf(full, sizeof full, "%s%s", root, path);
  for (char *slash = full + strlen(root) + 1; (slash = strchr(slash, '/')); slash++) {
    *slash = 0;
    mkdir(full, 0700);
    *slash = '/';
  }
  FILE *file = fopen(full, "w");
  assert_non_null(file);
  assert_true(fputs(text, file) >= 0);
  assert_int_equal(fclose(file), 0);
}

static void put_process(const char *groups, const char *mounts)
{
  put("/proc/self/cgroup", groups);
  put("/proc/self/mountinfo", mounts);
}

static void put_v1(const char *folder, const char *quota, const char *period)
{
  char path[256];
  snprintf(path, sizeof path, "%s/cpu.cfs_quota_us", folder);
  put(path, quota);
  snprintf(path, sizeof path, "%s/cpu.cfs_period_us", folder);
  put(path, period);
}

#define ASSERT_QUOTA(processors) assert_int_equal(cb_quota_read(root), processors)

static const char unified[] =
    "22 1 259:2 / / rw,relatime shared:1 - ext4 /dev/root rw,discard\n"
    "23 22 0:21 / /sys rw,nosuid shared:2 - sysfs sysfs rw\n"
    "29 23 0:26 / /sys/fs/cgroup rw,nosuid,nodev,noexec,relatime shared:4 - cgroup2 cgroup2 rw,nsdelegate\n";

/* A systemd machine of version 1, its tmpfs and the controllers that have a hierarchy of their own. */
static const char split[] = "22 1 259:2 / / rw,relatime shared:1 - ext4 /dev/root rw\n"
                            "31 23 0:28 / /sys/fs/cgroup ro,nosuid shared:9 - tmpfs tmpfs ro,mode=755\n"
                            "33 31 0:30 / /sys/fs/cgroup/cpuset rw shared:12 - cgroup cgroup rw,cpuset\n"
                            "34 31 0:31 / /sys/fs/cgroup/cpu,cpuacct rw shared:13 - cgroup cgroup rw,cpu,cpuacct\n"
                            "35 31 0:32 / /sys/fs/cgroup/systemd rw shared:14 - cgroup cgroup rw,name=systemd\n";

static const char split_groups[] = "5:cpuset:/elsewhere\n4:cpu,cpuacct:/user/job\n1:name=systemd:/user/session\n";

/* Version 1 with version 2 beside it, where no controller is. */
static const char hybrid[] = "31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755\n"
                             "32 31 0:29 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu\n"
                             "33 31 0:30 / /sys/fs/cgroup/cpuacct rw,relatime - cgroup cgroup rw,cpuacct\n"
                             "41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw\n";

static void version_2(void **state)
{
  (void)state;
  put_process("0::/user.slice/job.scope\n", unified);
  ASSERT_QUOTA(0); /* cpu.max is missing: the controller is not on */
  static const struct {
    const char *text;
    int processors;
  } lines[] = {{"max 100000\n", 0},      {"150000 100000\n", 2}, {"200000 100000\n", 2},
               {"200001 100000\n", 3},   {"1000 100000\n", 1},   {"50000 10000\n", 5},
               {"3200000 100000\n", 32}, {"100000 100000", 1},   {"9999999999999999999999 1\n", 2147483647}};
  for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
    put("/sys/fs/cgroup/user.slice/job.scope/cpu.max", lines[i].text);
    harness_doing("cpu.max \"%s\"", lines[i].text);
    ASSERT_QUOTA(lines[i].processors);
  }
}

static void the_least_of_the_ancestors(void **state)
{
  (void)state;
  put_process("0::/a/b/c\n", unified);
  put("/sys/fs/cgroup/a/b/c/cpu.max", "800000 100000\n");
  put("/sys/fs/cgroup/a/b/cpu.max", "max 100000\n");
  put("/sys/fs/cgroup/a/cpu.max", "250000 100000\n");
  ASSERT_QUOTA(3);
  put("/sys/fs/cgroup/a/b/cpu.max", "20000 20000\n");
  ASSERT_QUOTA(1);
  put("/sys/fs/cgroup/a/b/c/cpu.max", "max 100000\n");
  put("/sys/fs/cgroup/a/b/cpu.max", "max 100000\n");
  put("/sys/fs/cgroup/a/cpu.max", "max 100000\n");
  ASSERT_QUOTA(0);
  put("/sys/fs/cgroup/a/other/cpu.max", "100000 100000\n"); /* a group beside ours */
  put("/sys/fs/cpu.max", "100000 100000\n");                /* above the mount */
  ASSERT_QUOTA(0);
}

static void version_1(void **state)
{
  (void)state;
  put_process(split_groups, split);
  ASSERT_QUOTA(0);
  put_v1("/sys/fs/cgroup/cpu,cpuacct/user/job", "-1\n", "100000\n");
  put_v1("/sys/fs/cgroup/cpuset/elsewhere", "100000\n", "100000\n"); /* not the controller of time */
  ASSERT_QUOTA(0);
  put_v1("/sys/fs/cgroup/cpu,cpuacct/user/job", "420000\n", "100000\n");
  ASSERT_QUOTA(5);
  put_v1("/sys/fs/cgroup/cpu,cpuacct/user", "60000\n", "20000\n");
  ASSERT_QUOTA(3);
  put("/sys/fs/cgroup/cpu,cpuacct/user/cpu.max", "100000 100000\n"); /* version 2's file in version 1's tree */
  ASSERT_QUOTA(3);
}

static void both_versions(void **state)
{
  (void)state;
  put_process("9:name=systemd:/\n2:cpuacct:/x\n1:cpu:/job\n0::/job\n", hybrid);
  ASSERT_QUOTA(0);
  put_v1("/sys/fs/cgroup/cpu/job", "300000\n", "100000\n");
  ASSERT_QUOTA(3);
  put("/sys/fs/cgroup/unified/job/cpu.max", "150000 100000\n");
  ASSERT_QUOTA(2);
  put_v1("/sys/fs/cgroup/cpu/job", "100000\n", "100000\n");
  ASSERT_QUOTA(1);
}

static void containers(void **state)
{
  (void)state;
  /* without a cgroup namespace: the host's path, and its group mounted as the root */
  put_process("1:cpu:/docker/f00d\n", "90 80 0:30 /docker/f00d /sys/fs/cgroup/cpu ro - cgroup cgroup rw,cpu\n");
  put_v1("/sys/fs/cgroup/cpu", "200000\n", "100000\n");
  ASSERT_QUOTA(2);
  /* a group of its own below that */
  put_process("1:cpu:/docker/f00d/inner\n", "90 80 0:30 /docker/f00d /sys/fs/cgroup/cpu ro - cgroup cgroup rw,cpu\n");
  put_v1("/sys/fs/cgroup/cpu/inner", "50000\n", "100000\n");
  ASSERT_QUOTA(1);
  /* the host's path, of which the container shows no folder: its root is the container's group */
  put_process("1:cpu:/docker/f00d\n", "90 80 0:30 / /sys/fs/cgroup/cpu ro - cgroup cgroup rw,cpu\n");
  ASSERT_QUOTA(2);
  put_process("1:cpu:/docker/f00d\n", "90 80 0:30 /docker/beef /sys/fs/cgroup/cpu ro - cgroup cgroup rw,cpu\n");
  ASSERT_QUOTA(2);
  /* with a cgroup namespace */
  put_process("0::/\n", "90 80 0:26 / /sys/fs/cgroup ro - cgroup2 cgroup rw\n");
  put("/sys/fs/cgroup/cpu.max", "300000 100000\n");
  ASSERT_QUOTA(3);
  /* one made inside a mount of an ancestor */
  put_process("0::/\n", "90 80 0:26 /../.. /sys/fs/cgroup ro - cgroup2 cgroup rw\n");
  ASSERT_QUOTA(3);
  put_process("0::/../beside\n", "90 80 0:26 /.. /sys/fs/cgroup ro - cgroup2 cgroup rw\n");
  put("/sys/fs/cgroup/beside/cpu.max", "100000 100000\n");
  ASSERT_QUOTA(1);
  /* moved out of the namespace: what is mounted is no ancestor of its */
  put_process("0::/../beside\n", "90 80 0:26 / /sys/fs/cgroup ro - cgroup2 cgroup rw\n");
  ASSERT_QUOTA(0);
}

static void roots_of_mounts(void **state)
{
  (void)state;
  /* "/ab" is not below "/a"; a mount that shows the group counts before one that does not */
  put_process("0::/ab/c\n",
              "90 80 0:26 /a /mnt/a rw - cgroup2 cgroup rw\n91 80 0:26 /ab /mnt/ab rw - cgroup2 cgroup rw\n");
  put("/mnt/a/cpu.max", "100000 100000\n");
  put("/mnt/ab/cpu.max", "700000 100000\n");
  put("/mnt/ab/c/cpu.max", "900000 100000\n");
  ASSERT_QUOTA(7);
  /* two mounts show it, one of them more of its ancestors */
  put_process("0::/ab/c\n",
              "90 80 0:26 /ab/c /mnt/ab/c rw - cgroup2 cgroup rw\n91 80 0:26 /ab /mnt/ab rw - cgroup2 cgroup rw\n");
  ASSERT_QUOTA(7);
  /* white space and backslashes in a mount point are written in octal */
  put_process("0::/c\n", "90 80 0:26 / /mnt/a\\040b\\134 rw - cgroup2 cgroup rw\n");
  put("/mnt/a b\\/c/cpu.max", "400000 100000\n");
  ASSERT_QUOTA(4);
  /* a group with a colon in its name */
  put_process("0::/c:d\n", "90 80 0:26 / /mnt rw - cgroup2 cgroup rw\n");
  put("/mnt/c:d/cpu.max", "500000 100000\n");
  ASSERT_QUOTA(5);
}

/* A line that is longer than any that is read, behind it one that counts. */
static char *long_line_before(const char *line)
{
  enum { LONG = 20000 };
  char *text = malloc(LONG + strlen(line) + 2);
  assert_non_null(text);
  memset(text, 'x', LONG);
  memcpy(text, "22 1 0:1 / / rw - overlay overlay rw,lowerdir=", 46);
  text[LONG] = '\n';
  strcpy(text + LONG + 1, line);
  return text;
}

static void missing_and_garbled(void **state)
{
  (void)state;
  ASSERT_QUOTA(0); /* an empty folder */
  put("/proc/self/mountinfo", unified);
  put("/sys/fs/cgroup/job/cpu.max", "100000 100000\n");
  ASSERT_QUOTA(0);
  put("/proc/self/cgroup", "0::/job\n");
  ASSERT_QUOTA(1);
  static const char *const limits[] = {"",           "\n",          "max",          "100000\n",     "x 100000\n",
                                       "100000 x\n", "100000 0\n",  "0 100000\n",   "-1 100000\n",  "100000 -5\n",
                                       "12x 10\n",   "100 10 10\n", "100000 10x\n", "100000,100000"};
  for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
    put("/sys/fs/cgroup/job/cpu.max", limits[i]);
    harness_doing("cpu.max \"%s\"", limits[i]);
    ASSERT_QUOTA(0);
  }
  put("/sys/fs/cgroup/job/cpu.max", "100000 100000\n");
  static const char *const groups[] = {
      "", "\n", "0", "0:", "0::", "0::job\n", ":::\n", "1::/job\n", "cpu:/job\n", "0:/job\n"};
  for (size_t i = 0; i < sizeof groups / sizeof *groups; i++) {
    put("/proc/self/cgroup", groups[i]);
    harness_doing("cgroup \"%s\"", groups[i]);
    ASSERT_QUOTA(0);
  }
  put("/proc/self/cgroup", "0::/job\n");
  static const char *const mounts[] = {"",
                                       "\n",
                                       " - cgroup2 cgroup rw\n",
                                       "29 23 0:26 - cgroup2 cgroup2 rw\n",
                                       "29 23 0:26 / /sys/fs/cgroup rw shared:4\n",
                                       "29 23 0:26 / /sys/fs/cgroup rw - \n",
                                       "29 23 0:26 / /sys/fs/cgroup rw - cgroup\n",
                                       "29 23 0:26 / /sys/fs/cgroup rw - cgroup3 x cpu\n"};
  for (size_t i = 0; i < sizeof mounts / sizeof *mounts; i++) {
    put("/proc/self/mountinfo", mounts[i]);
    harness_doing("mountinfo \"%s\"", mounts[i]);
    ASSERT_QUOTA(0);
  }
  char *text = long_line_before(unified);
  put("/proc/self/mountinfo", text);
  ASSERT_QUOTA(1);
  free(text);
  text = long_line_before("0::/job\n");
  put("/proc/self/cgroup", text);
  ASSERT_QUOTA(1);
  free(text);
}

static void this_process(void **state)
{
  (void)state;
  int quota = cb_quota();
  printf("this process's quota: %d processors (0: none)\n", quota);
  assert_int_equal(quota, cb_quota_read(""));
  cnnblas_system_info info;
  ASSERT_OK(cnnblas_system_get_info(&info));
  assert_int_equal(info.quota, quota);
  assert_true(info.threads >= 1 && info.threads <= info.cores && (!quota || info.threads <= quota));
}

#define IN_A_FOLDER(test) cmocka_unit_test_setup_teardown(test, make_root, remove_root)

int main(void)
{
  const struct CMUnitTest tests[] = {
      IN_A_FOLDER(version_2),           IN_A_FOLDER(the_least_of_the_ancestors),
      IN_A_FOLDER(version_1),           IN_A_FOLDER(both_versions),
      IN_A_FOLDER(containers),          IN_A_FOLDER(roots_of_mounts),
      IN_A_FOLDER(missing_and_garbled), cmocka_unit_test(this_process),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
