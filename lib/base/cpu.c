/*
 * CPU detection. The levels and their tests stand in levels.h; a machine has a level if it has all those below as well.
 * The environment variable CNNBLAS_ISA, which names a level, can lower it, never raise it; another value is ignored.
 */
#define _GNU_SOURCE
#include "base/cpu.h"
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>

static void detect_model(char model[64])
{
  unsigned words[12];
  for (unsigned i = 0; i < 3; i++)
    if (!__get_cpuid(0x80000002u + i, &words[4 * i], &words[4 * i + 1], &words[4 * i + 2], &words[4 * i + 3])) return;
  char text[sizeof words + 1];
  memcpy(text, words, sizeof words);
  text[sizeof words] = 0;
  size_t begin = strspn(text, " "), end = strlen(text);
  while (end > begin && text[end - 1] == ' ') end--;
  memcpy(model, text + begin, end - begin);
  model[end - begin] = 0;
}

static cb_maker detect_maker(void)
{
  unsigned highest, words[3];
  if (!__get_cpuid(0, &highest, &words[0], &words[2], &words[1])) return CB_MAKER_ANY;
  if (memcmp(words, "GenuineIntel", sizeof words) == 0) return CB_MAKER_INTEL;
  return memcmp(words, "AuthenticAMD", sizeof words) == 0 ? CB_MAKER_AMD : CB_MAKER_ANY;
}
#else
static cb_maker detect_maker(void)
{
  return CB_MAKER_ANY;
}
static void detect_model(char model[64])
{
  model[0] = 0;
}
#endif

#define NAME(ID, name, ...) #name,
static const char *const isa_names[CB_ISA_COUNT] = {CB_LEVELS(NAME)};

static cb_isa detect_isa(void)
{
#define TEST(ID, name, test, ...) test,
  const bool has[CB_ISA_COUNT] = {CB_LEVELS(TEST)};
  int isa = 0;
  while (isa + 1 < CB_ISA_COUNT && has[isa + 1]) isa++;
  return (cb_isa)isa;
}

const char *cb_isa_name(cb_isa isa)
{
  return isa_names[isa];
}

static size_t cache_bytes(int name, size_t fallback)
{
  long bytes = sysconf(name);
  return bytes > 0 ? (size_t)bytes : fallback;
}

/* Bytes of the first core's L3 cache, as the kernel says; sysconf, on some AMD machines, multiplies them by the number
   of those that share it. */
static size_t l3_bytes(void)
{
  char text[32] = "", *end = text;
  int file = open("/sys/devices/system/cpu/cpu0/cache/index3/size", O_RDONLY | O_CLOEXEC);
  ssize_t got = file < 0 ? 0 : read(file, text, sizeof text - 1);
  if (file >= 0) close(file);
  unsigned long kilobytes = got > 0 ? strtoul(text, &end, 10) : 0;
  return kilobytes && *end == 'K' ? (size_t)kilobytes << 10 : cache_bytes(_SC_LEVEL3_CACHE_SIZE, 0);
}

static cb_cpu cpu;

static void detect(void)
{
  cpu.detected = cpu.level = detect_isa();
  const char *wanted = getenv("CNNBLAS_ISA");
  for (int i = 0; wanted && i < (int)cpu.detected; i++)
    if (strcmp(wanted, isa_names[i]) == 0) cpu.level = (cb_isa)i;
  cpu.l1d = cache_bytes(_SC_LEVEL1_DCACHE_SIZE, 32 << 10);
  cpu.l2 = cache_bytes(_SC_LEVEL2_CACHE_SIZE, 512 << 10);
  cpu.l3 = l3_bytes();
  cpu.maker = detect_maker();
  detect_model(cpu.model);
}

const cb_cpu *cb_cpu_get(void)
{
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, detect);
  return &cpu;
}
