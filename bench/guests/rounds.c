/* Runs the kernel that this file is linked with once for every byte that arrives at COM1, and says over COM1 when it begins and
 * ends: "ready" and a newline once; then, for each round, '<', the kernel, '>', its result in hexadecimal and a newline. The host
 * takes the time between the two marks; the port is ready for both before they are written, so that no waiting is measured. */

#include "kernel.h"

enum { COM1 = 0x3f8, LINE_CONTROL = COM1 + 3, LINE_STATUS = COM1 + 5, DATA_READY = 0x01, TRANSMITTER_EMPTY = 0x40 };

static void out(unsigned short port, unsigned char value) { __asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port) : "memory"); }

static unsigned char in(unsigned short port) {
  unsigned char value;
  __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port) : "memory");
  return value;
}

static void drain(void) {
  while (!(in(LINE_STATUS) & TRANSMITTER_EMPTY)) {
  }
}

static void put(char character) {
  drain();
  out(COM1, (unsigned char)character);
}

__attribute__((noreturn)) void rounds(void) {
  out(LINE_CONTROL, 0x83); /* 8 bits; divisor 1: 115200 baud */
  out(COM1, 1);
  out(COM1 + 1, 0);
  out(LINE_CONTROL, 0x03);
  out(COM1 + 1, 0);
  for (const char *text = "ready\n"; *text; text++) put(*text);
  for (;;) {
    while (!(in(LINE_STATUS) & DATA_READY)) {
    }
    in(COM1);
    drain();
    out(COM1, '<');
    drain();
    unsigned result = kernel();
    out(COM1, '>');
    for (int shift = 28; shift >= 0; shift -= 4) put("0123456789abcdef"[result >> shift & 15]);
    put('\n');
  }
}
