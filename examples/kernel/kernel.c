/* kernel.c: a kernel of one file. It sets up segments, interrupts, paging and the timer, writes to COM1, makes a page fault on
 * purpose and repairs it, and then counts seconds. Good places to stop: kernelMain, pageFault, tick. */

#include "x86.h"

enum { CODE = 0x08, DATA = 0x10, TIMER_HERTZ = 100, SECONDS = 5 };

static unsigned long long gdt[3] = {0, 0x00cf9a000000ffffull, 0x00cf92000000ffffull};
static struct gate idt[48];
static u32 pageDirectory[1024] __attribute__((aligned(4096)));
static u32 firstTable[1024] __attribute__((aligned(4096)));
static u32 sparePage[1024] __attribute__((aligned(4096)));

volatile u32 ticks;
u32 pageFaults;

/* COM1 */

static void put(char character) {
  while (!(inb(COM1 + 5) & 0x20)) {
  }
  outb(COM1, (u8)character);
}

static void print(const char *text) {
  for (; *text; text++) {
    if (*text == '\n') put('\r');
    put(*text);
  }
}

static void printNumber(u32 value, u32 base) {
  char digits[11];
  int count = 0;
  do {
    digits[count++] = "0123456789abcdef"[value % base];
    value /= base;
  } while (value);
  while (count) put(digits[--count]);
}

/* Interrupts */

static void tick(void) {
  ticks++;
  if (ticks % TIMER_HERTZ == 0) {
    print("second ");
    printNumber(ticks / TIMER_HERTZ, 10);
    print("\n");
  }
}

/* Maps the spare page wherever the first 4 MiB above the identity-mapped ones are touched. */
static void pageFault(struct frame *frame) {
  u32 address = readCr2();
  pageFaults++;
  print("page fault at ");
  printNumber(address, 16);
  print(", error code ");
  printNumber(frame->error, 10);
  print("\n");
  firstTable[address >> 12 & 1023] = (u32)sparePage | 3;
  pageDirectory[address >> 22] = (u32)firstTable | 3;
}

/* Called from boot.asm for every vector. */
void interrupt(struct frame *frame) {
  switch (frame->vector) {
  case 14:
    pageFault(frame);
    return;
  case 32:
    tick();
    outb(PIC1, 0x20);
    return;
  default:
    print("unexpected vector ");
    printNumber(frame->vector, 10);
    print(" at ");
    printNumber(frame->eip, 16);
    print("\n");
    outb(DEBUG_EXIT, 1);
    for (;;) halt();
  }
}

static void setUpInterrupts(void) {
  for (u32 vector = 0; vector < 48; vector++) {
    u32 address = entries[vector];
    idt[vector] = (struct gate){(u16)address, CODE, 0, 0x8e, (u16)(address >> 16)};
  }
  struct tablePointer pointer = {sizeof idt - 1, (u32)idt};
  loadIdt(&pointer);

  /* 8259: vectors 32-47, only the timer on. */
  static const u8 words[][2] = {{PIC1, 0x11}, {PIC1 + 1, 32}, {PIC1 + 1, 4}, {PIC1 + 1, 1}, {PIC2, 0x11}, {PIC2 + 1, 40}, {PIC2 + 1, 2}, {PIC2 + 1, 1}, {PIC1 + 1, 0xfe}, {PIC2 + 1, 0xff}};
  for (u32 n = 0; n < sizeof words / sizeof words[0]; n++) outb(words[n][0], words[n][1]);

  /* 8254 channel 0, mode 2. */
  u32 divisor = 1193182 / TIMER_HERTZ;
  outb(PIT + 3, 0x34);
  outb(PIT, (u8)divisor);
  outb(PIT, (u8)(divisor >> 8));
}

static void setUpPaging(void) {
  pageDirectory[0] = 0x83; /* the first 4 MiB where they are, as one large page */
  enableLargePages();
  loadCr3((u32)pageDirectory);
  enablePaging();
}

void kernelMain(u32 magic, const struct multibootInfo *info) {
  print("kernel: entered by ");
  print(magic == 0x2badb002 ? "a Multiboot loader" : "something else");
  print(", ");
  printNumber((info->memoryUpper + 1024) / 1024, 10);
  print(" MiB of memory\n");

  struct tablePointer pointer = {sizeof gdt - 1, (u32)gdt};
  loadSegments(&pointer);
  setUpInterrupts();
  setUpPaging();

  volatile u32 *nowhere = (volatile u32 *)0x00400000;
  *nowhere = 42;
  print("kernel: there is memory now, it holds ");
  printNumber(*nowhere, 10);
  print("\n");

  enableInterrupts();
  while (ticks < SECONDS * TIMER_HERTZ) halt();
  print("kernel: done\n");
  outb(DEBUG_EXIT, 0);
}
