/* The first program of Linux in the benchmark of a whole system: a line of text when a kernel of work is done. It is linked against
 * the C library, so that sorting, formatting and memory are what programs use. */

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static unsigned state = 1;
static unsigned number(void) { return state = state * 1664525u + 1013904223u; }

static int ascending(const void *a, const void *b) {
  unsigned x = *(const unsigned *)a, y = *(const unsigned *)b;
  return (x > y) - (x < y);
}
static unsigned sorting(void) {
  enum { COUNT = 150000 };
  unsigned *numbers = malloc(COUNT * sizeof *numbers), middle;
  for (int n = 0; n < COUNT; n++) numbers[n] = number();
  qsort(numbers, COUNT, sizeof *numbers, ascending);
  middle = numbers[COUNT / 2];
  free(numbers);
  return middle;
}

/* Four masses in a plane, with the x87 in double precision. */
static unsigned orbits(void) {
  double x[4] = {0, 1, 0, -2}, y[4] = {0, 0, 3, 0}, u[4] = {0, 0, 0.6, 0}, v[4] = {0, 1, 0, -0.7}, m[4] = {1, 1e-3, 1e-3, 1e-3};
  for (int step = 0; step < 40000; step++) {
    for (int a = 0; a < 4; a++)
      for (int b = 0; b < 4; b++)
        if (a != b) {
          double p = x[b] - x[a], q = y[b] - y[a], r2 = p * p + q * q, f = 1e-3 * m[b] / (r2 * sqrt(r2));
          u[a] += f * p;
          v[a] += f * q;
        }
    for (int a = 0; a < 4; a++) {
      x[a] += 1e-3 * u[a];
      y[a] += 1e-3 * v[a];
    }
  }
  return (unsigned)((x[1] + 10) * 1e6);
}

static unsigned matrices(void) {
  enum { SIZE = 160 };
  static int a[SIZE][SIZE], b[SIZE][SIZE];
  unsigned sum = 0;
  for (int i = 0; i < SIZE; i++)
    for (int j = 0; j < SIZE; j++) {
      a[i][j] = i ^ j;
      b[i][j] = i - j;
    }
  for (int i = 0; i < SIZE; i++)
    for (int j = 0; j < SIZE; j++) {
      int product = 0;
      for (int k = 0; k < SIZE; k++) product += a[i][k] * b[k][j];
      sum = sum * 31 + (unsigned)product;
    }
  return sum;
}

static unsigned formatting(void) {
  char text[96];
  unsigned hash = 0;
  for (int n = 0; n < 60000; n++) {
    int length = snprintf(text, sizeof text, "%08x %-6d %s %.3f", number(), n, "line", n / 7.0);
    for (int at = 0; at < length; at++) hash = hash * 33 + (unsigned char)text[at];
  }
  return hash;
}

/* 64-bit arithmetic, division among it. */
static unsigned divisions(void) {
  unsigned long long value = 88172645463325252ull, sum = 0;
  for (unsigned n = 1; n < 600000; n++) {
    value ^= value << 13;
    value ^= value >> 7;
    value ^= value << 17;
    sum += value / (n | 1) + value % n;
  }
  return (unsigned)(sum ^ sum >> 32);
}

static unsigned copies(void) {
  enum { BYTES = 1 << 20 };
  char *from = malloc(BYTES), *to = malloc(BYTES);
  unsigned sum = 0;
  for (int n = 0; n < 100; n++) {
    memset(from, n, BYTES);
    memmove(to, from, BYTES);
    sum += (unsigned)to[BYTES - 1] + (unsigned)memcmp(from, to, BYTES);
  }
  free(from);
  free(to);
  return sum;
}

static void report(const char *name, unsigned result) {
  printf("BENCH %s %08x\n", name, result);
  fflush(stdout);
}

int main(void) {
  puts("BENCH start 0");
  fflush(stdout);
  report("sorting", sorting());
  report("orbits", orbits());
  report("matrices", matrices());
  report("formatting", formatting());
  report("divisions", divisions());
  report("copies", copies());
  puts("BENCH total 0");
  fflush(stdout);
  for (;;) {
  }
}
