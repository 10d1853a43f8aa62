/* What a benchmark kernel is: one function whose result is known. */

#ifndef KERNEL_H
#define KERNEL_H

unsigned kernel(void);

#endif
