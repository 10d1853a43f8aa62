/*
 * Runs single instructions on the processor itself, in 32-bit user mode: flat 32-bit code, or 16-bit code and data in
 * segments made by modify_ldt, and whatever else the LDT offers. Every register comes from the record by sigreturn and goes back to it in a signal handler, so
 * that faults are results like any other. Build: gcc -m32 -O1 -static runner.c
 *
 * stdin: the LDT, then records of struct input; stdout: struct output each, followed by `changes` pairs (offset, byte) of 3 bytes.
 */
#define _GNU_SOURCE
#include <asm/ldt.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

enum { CODE = 0x200000, DATA = 0x10000, SIZE = 0x10000, AT = 0x800, POKES = 3 };

struct input {
  uint32_t mode; /* 0: flat 32-bit, 1: 16-bit segments */
  uint32_t regs[8];
  uint32_t eflags, seed;
  struct { uint32_t at, value; } poke[POKES]; /* at 0: none */
  uint32_t length;
  uint8_t code[16];
  uint16_t fcw, fsw, ftw, pad;
  uint8_t st[8][10];
} __attribute__((packed));
struct output {
  uint32_t regs[8];
  uint32_t eflags, eip, trap, error, cr2, changes;
  uint32_t segments[6]; /* ES CS SS DS FS GS */
  uint16_t fcw, fsw, ftw, pad;
  uint8_t st[8][10];
} __attribute__((packed));

static struct input in;
static uint8_t *code = (uint8_t *)CODE, *data = (uint8_t *)DATA, *before;
static int pending;

/* The same generator as test/support/random.ts. */
static void fill(const struct input *v) {
  static uint32_t made, was[POKES], at[POKES];
  uint32_t s = v->seed ? v->seed : 0x9e3779b9;
  for (int n = POKES - 1; n >= 0; n--)
    if (at[n]) memcpy(before + at[n], &was[n], 4);
  if (made != v->seed || !made)
    for (int n = 0; n < SIZE; n += 4) {
      s ^= s << 13, s ^= s >> 17, s ^= s << 5;
      memcpy(before + n, &s, 4);
    }
  made = v->seed;
  for (int n = 0; n < POKES; n++) {
    at[n] = v->poke[n].at;
    if (at[n]) memcpy(&was[n], before + at[n], 4), memcpy(before + at[n], &v->poke[n].value, 4);
  }
  memcpy(data, before, SIZE);
}
static void put(const void *p, size_t n) {
  if (fwrite(p, 1, n, stdout) != n) _exit(3);
}
static void report(ucontext_t *uc) {
  greg_t *g = uc->uc_mcontext.gregs;
  static const int order[8] = {REG_EAX, REG_ECX, REG_EDX, REG_EBX, REG_ESP, REG_EBP, REG_ESI, REG_EDI};
  struct output out;
  memset(&out, 0, sizeof out);
  for (int n = 0; n < 8; n++) out.regs[n] = g[order[n]];
  out.eflags = g[REG_EFL], out.trap = g[REG_TRAPNO], out.error = g[REG_ERR], out.cr2 = uc->uc_mcontext.cr2;
  static const int segments[6] = {REG_ES, REG_CS, REG_SS, REG_DS, REG_FS, REG_GS};
  for (int n = 0; n < 6; n++) out.segments[n] = g[segments[n]] & 0xffff;
  out.eip = g[REG_EIP] - (in.mode ? 0 : CODE) - AT;
  struct _libc_fpstate *f = uc->uc_mcontext.fpregs;
  out.fcw = f->cw, out.fsw = f->sw, out.ftw = f->tag;
  for (int n = 0; n < 8; n++) memcpy(out.st[n], &f->_st[n], 10);
  for (int n = 0; n < SIZE; n++) out.changes += data[n] != before[n];
  put(&out, sizeof out);
  for (int n = 0; n < SIZE; n++)
    if (data[n] != before[n]) {
      uint8_t change[3] = {n & 255, n >> 8, data[n]};
      put(change, 3);
    }
}
/*
 * Signals arrive with the GS and the alignment check of the instruction: the C library's thread data are restored before any
 * of its functions run.
 */
uint32_t libraryGs;
void handler(int sig, siginfo_t *info, void *context);
void entry(int sig, siginfo_t *info, void *context);
__asm__(".globl entry\nentry:\n  pushfl\n  andl $~0x40000, (%esp)\n  popfl\n  movw libraryGs, %gs\n  jmp handler\n");

void handler(int sig, siginfo_t *info, void *context) {
  ucontext_t *uc = context;
  greg_t *g = uc->uc_mcontext.gregs;
  static const int order[8] = {REG_EAX, REG_ECX, REG_EDX, REG_EBX, REG_ESP, REG_EBP, REG_ESI, REG_EDI};
  (void)info;
  if (sig == SIGALRM) _exit(4);
  if (pending) report(uc);
  if (fread(&in, 1, sizeof in, stdin) != sizeof in) {
    fflush(stdout);
    _exit(0);
  }
  pending = 1;
  fill(&in);
  memset(code, 0xcc, SIZE);
  memcpy(code + AT, in.code, in.length);
  for (int n = 0; n < 8; n++) g[order[n]] = in.regs[n];
  g[REG_EFL] = in.eflags | 0x202;
  g[REG_EIP] = (in.mode ? 0 : CODE) + AT;
  static int flat_cs, flat_ds;
  if (!flat_cs) flat_cs = g[REG_CS] & 0xffff, flat_ds = g[REG_DS] & 0xffff;
  g[REG_CS] = in.mode ? 0x0f : flat_cs;
  g[REG_DS] = g[REG_ES] = g[REG_SS] = in.mode ? 0x17 : flat_ds;
  g[REG_FS] = g[REG_GS] = 0x17;
  struct _libc_fpstate *f = uc->uc_mcontext.fpregs;
  f->cw = 0xffff0000 | in.fcw, f->sw = 0xffff0000 | in.fsw, f->tag = 0xffff0000 | in.ftw;
  for (int n = 0; n < 8; n++) memcpy(&f->_st[n], in.st[n], 10);
  alarm(5);
}
/* The descriptors of test/native/ldt.ts: their number, then each as struct user_desc. */
static int tables(void) {
  uint32_t count;
  struct user_desc d;
  if (fread(&count, 4, 1, stdin) != 1) return 2;
  while (count--)
    if (fread(&d, 1, sizeof d, stdin) != sizeof d || syscall(SYS_modify_ldt, 0x11, &d, sizeof d)) return 2;
  return 0;
}
int main(void) {
  int all = PROT_READ | PROT_WRITE | PROT_EXEC, flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED;
  if (mmap(code, SIZE, all, flags, -1, 0) != code || mmap(data, SIZE, PROT_READ | PROT_WRITE, flags, -1, 0) != data) return 1;
  before = malloc(SIZE);
  if (tables()) return 2;
  __asm__("movw %%gs, %0" : "=m"(libraryGs));
  stack_t alt = {.ss_sp = malloc(1 << 16), .ss_size = 1 << 16};
  sigaltstack(&alt, 0);
  struct sigaction act = {.sa_sigaction = entry, .sa_flags = SA_SIGINFO | SA_ONSTACK};
  sigfillset(&act.sa_mask);
  static const int signals[] = {SIGTRAP, SIGSEGV, SIGFPE, SIGILL, SIGBUS, SIGUSR1, SIGALRM};
  for (unsigned n = 0; n < sizeof signals / sizeof *signals; n++) sigaction(signals[n], &act, 0);
  raise(SIGUSR1);
  return 0;
}
