/*
 * Runs single MMX and SSE instructions on the processor itself, in flat 32-bit user mode. All registers come from the record
 * by sigreturn and go back to it in a signal handler, so that faults are results like any other. The record's words are those
 * of test/native/simdRecord.ts. Build: gcc -m32 -O1 -static simdRunner.c
 *
 * stdin: records of struct state; stdout: the same after the instruction, with the trap in place of the length.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

enum { CODE = 0x200000, DATA = 0x10000, AT = 0x800, OPERAND = 0x400 };

struct state {
  uint32_t regs[8], eflags, mxcsr, fcw, fsw, tags;
  uint32_t physical[8][3];
  uint32_t xmm[8][4];
  uint8_t data[64], code[16];
  uint32_t length; /* afterwards: trap number */
};
static struct state in;
static uint8_t *code = (uint8_t *)CODE, *data = (uint8_t *)DATA;
static int pending;
static const int order[8] = {REG_EAX, REG_ECX, REG_EDX, REG_EBX, REG_ESP, REG_EBP, REG_ESI, REG_EDI};

/* What follows the 112 bytes of the older format: the image of FXSAVE, and an XSAVE header. */
static uint8_t *image(ucontext_t *uc) { return (uint8_t *)uc->uc_mcontext.fpregs + 112; }

static void report(ucontext_t *uc) {
  greg_t *g = uc->uc_mcontext.gregs;
  struct _libc_fpstate *f = uc->uc_mcontext.fpregs;
  struct state out = in;
  for (int n = 0; n < 8; n++) out.regs[n] = g[order[n]];
  out.eflags = g[REG_EFL] & 0xcd5;
  memcpy(&out.mxcsr, image(uc) + 24, 4);
  memcpy(out.xmm, image(uc) + 160, sizeof out.xmm);
  out.fcw = f->cw & 0xffff, out.fsw = f->sw & 0xffff, out.tags = 0;
  int top = out.fsw >> 11 & 7;
  for (int n = 0; n < 8; n++) {
    if ((f->tag >> 2 * n & 3) != 3) out.tags |= 1 << n;
    out.physical[n][2] = 0;
    memcpy(out.physical[n], &f->_st[(n - top) & 7], 10);
  }
  memcpy(out.data, data + OPERAND, sizeof out.data);
  /* A breakpoint behind the instruction is how it ends. */
  out.length = g[REG_TRAPNO] == 3 && g[REG_EIP] == CODE + AT + (int)in.length + 1 ? 0 : g[REG_TRAPNO] == 0 ? 99 : g[REG_TRAPNO];
  if (fwrite(&out, sizeof out, 1, stdout) != 1) _exit(3);
}
static void handler(int sig, siginfo_t *info, void *context) {
  ucontext_t *uc = context;
  greg_t *g = uc->uc_mcontext.gregs;
  (void)info;
  if (sig == SIGALRM) _exit(4);
  if (pending) report(uc);
  if (fread(&in, sizeof in, 1, stdin) != 1) {
    fflush(stdout);
    _exit(0);
  }
  pending = 1;
  memset(code, 0xcc, 0x1000);
  memcpy(code + AT, in.code, in.length);
  memcpy(data + OPERAND, in.data, sizeof in.data);
  for (int n = 0; n < 8; n++) g[order[n]] = in.regs[n];
  g[REG_EFL] = in.eflags | 0x202;
  g[REG_EIP] = CODE + AT;
  struct _libc_fpstate *f = uc->uc_mcontext.fpregs;
  int top = in.fsw >> 11 & 7;
  f->cw = 0xffff0000 | in.fcw, f->sw = 0xffff0000 | in.fsw, f->tag = 0xffff0000;
  for (int n = 0; n < 8; n++) {
    if (!(in.tags >> n & 1)) f->tag |= 3 << 2 * n;
    memcpy(&f->_st[(n - top) & 7], in.physical[n], 10);
  }
  memcpy(image(uc) + 24, &in.mxcsr, 4);
  memcpy(image(uc) + 160, in.xmm, sizeof in.xmm);
  image(uc)[512] |= 3; /* x87 and SSE state are in it */
  alarm(5);
}
int main(void) {
  int all = PROT_READ | PROT_WRITE | PROT_EXEC, flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED;
  if (mmap(code, 0x1000, all, flags, -1, 0) != code || mmap(data, 0x1000, PROT_READ | PROT_WRITE, flags, -1, 0) != data) return 1;
  stack_t alt = {.ss_sp = malloc(1 << 16), .ss_size = 1 << 16};
  sigaltstack(&alt, 0);
  struct sigaction act = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_ONSTACK};
  sigfillset(&act.sa_mask);
  static const int signals[] = {SIGTRAP, SIGSEGV, SIGFPE, SIGILL, SIGBUS, SIGUSR1, SIGALRM};
  for (unsigned n = 0; n < sizeof signals / sizeof *signals; n++) sigaction(signals[n], &act, 0);
  raise(SIGUSR1);
  return 0;
}
