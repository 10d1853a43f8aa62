/* x86.h: instructions that C has no words for, and the structures that the processor and the loader define. */

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;

enum { COM1 = 0x3f8, PIC1 = 0x20, PIC2 = 0xa0, PIT = 0x40, DEBUG_EXIT = 0xf4 };

/* What the entries in boot.asm leave on the stack. */
struct frame {
  u32 edi, esi, ebp, esp, ebx, edx, ecx, eax;
  u32 vector, error, eip, cs, eflags;
};

struct gate {
  u16 offsetLow, selector;
  u8 zero, type;
  u16 offsetHigh;
} __attribute__((packed));

struct tablePointer {
  u16 limit;
  u32 base;
} __attribute__((packed));

/* The beginning of the Multiboot information. */
struct multibootInfo {
  u32 flags, memoryLower, memoryUpper;
};

extern const u32 entries[48];
void loadSegments(const struct tablePointer *pointer);

static inline void outb(u16 port, u8 value) { __asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port)); }
static inline u8 inb(u16 port) {
  u8 value;
  __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
  return value;
}
static inline void loadIdt(const struct tablePointer *pointer) { __asm__ volatile("lidt %0" : : "m"(*pointer)); }
static inline u32 readCr2(void) {
  u32 value;
  __asm__ volatile("mov %%cr2, %0" : "=r"(value));
  return value;
}
static inline void loadCr3(u32 value) { __asm__ volatile("mov %0, %%cr3" : : "r"(value) : "memory"); }
static inline void enableLargePages(void) { __asm__ volatile("mov %%cr4, %%eax; or $0x10, %%eax; mov %%eax, %%cr4" : : : "eax"); }
static inline void enablePaging(void) { __asm__ volatile("mov %%cr0, %%eax; or $0x80000000, %%eax; mov %%eax, %%cr0" : : : "eax", "memory"); }
static inline void enableInterrupts(void) { __asm__ volatile("sti"); }
static inline void halt(void) { __asm__ volatile("hlt"); }
