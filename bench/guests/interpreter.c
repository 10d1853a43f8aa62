/* A switch interpreter: a register machine whose program looks for the number below 10,000 with the longest Collatz sequence.
 * Every instruction of the program is an indirect jump that the processor's caches cannot foresee. */

#include "kernel.h"

typedef unsigned u32;

/* Instruction: operation, destination, source (or immediate or target). */
enum operation { SET, MOVE, ADD, ADD_IMMEDIATE, SHIFT_RIGHT, TRIPLE, IF_ODD, IF_LESS, IF_ABOVE, IF_NOT_ONE, JUMP, END };
enum { START, NUMBER, STEPS, BEST, RESULT, LIMIT, REGISTERS };

struct instruction {
  unsigned char operation, to, from;
  short value;
};

static const struct instruction program[] = {
    /*  0 */ {SET, BEST, 0, 0},
    /*  1 */ {SET, START, 0, 1},
    /*  2 */ {SET, LIMIT, 0, 10000},
    /*  3 */ {MOVE, NUMBER, START, 0},
    /*  4 */ {SET, STEPS, 0, 0},
    /*  5 */ {JUMP, 0, 0, 11},
    /*  6 */ {IF_ODD, NUMBER, 0, 9},
    /*  7 */ {SHIFT_RIGHT, NUMBER, 0, 1},
    /*  8 */ {JUMP, 0, 0, 10},
    /*  9 */ {TRIPLE, NUMBER, 0, 1},
    /* 10 */ {ADD_IMMEDIATE, STEPS, 0, 1},
    /* 11 */ {IF_NOT_ONE, NUMBER, 0, 6},
    /* 12 */ {IF_ABOVE, STEPS, BEST, 14},
    /* 13 */ {JUMP, 0, 0, 16},
    /* 14 */ {MOVE, BEST, STEPS, 0},
    /* 15 */ {MOVE, RESULT, START, 0},
    /* 16 */ {ADD_IMMEDIATE, START, 0, 1},
    /* 17 */ {IF_LESS, START, LIMIT, 3},
    /* 18 */ {END, 0, 0, 0},
};

unsigned kernel(void) {
  u32 r[REGISTERS] = {0}, at = 0;
  for (;;) {
    const struct instruction *i = &program[at++];
    switch ((enum operation)i->operation) {
    case SET: r[i->to] = (u32)i->value; break;
    case MOVE: r[i->to] = r[i->from]; break;
    case ADD: r[i->to] += r[i->from]; break;
    case ADD_IMMEDIATE: r[i->to] += (u32)i->value; break;
    case SHIFT_RIGHT: r[i->to] >>= i->value; break;
    case TRIPLE: r[i->to] = 3 * r[i->to] + (u32)i->value; break;
    case IF_ODD: if (r[i->to] & 1) at = (u32)i->value; break;
    case IF_LESS: if (r[i->to] < r[i->from]) at = (u32)i->value; break;
    case IF_ABOVE: if (r[i->to] > r[i->from]) at = (u32)i->value; break;
    case IF_NOT_ONE: if (r[i->to] != 1) at = (u32)i->value; break;
    case JUMP: at = (u32)i->value; break;
    case END: return r[RESULT];
    }
  }
}
