/* Fibonacci numbers by recursion: calls, returns and the stack. */

#include "kernel.h"

static __attribute__((noinline, optimize("no-optimize-sibling-calls"))) unsigned fib(unsigned n) { return n < 2 ? n : fib(n - 1) + fib(n - 2); }

unsigned kernel(void) { return fib(30); }
