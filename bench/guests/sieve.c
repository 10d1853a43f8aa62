/* The sieve of Eratosthenes over two million bytes: stores at a growing stride, short loops. The result is the number of primes
 * below 2,000,000. */

#include "kernel.h"

enum { LIMIT = 2000000 };

static unsigned char composite[LIMIT];

unsigned kernel(void) {
  unsigned count = 0;
  for (unsigned i = 0; i < LIMIT; i++) composite[i] = 0;
  for (unsigned i = 2; i < LIMIT; i++) {
    if (composite[i]) continue;
    count++;
    for (unsigned j = i + i; j < LIMIT; j += i) composite[j] = 1;
  }
  return count;
}
