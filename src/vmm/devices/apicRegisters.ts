// The local APIC's registers by offset (SDM volume 3, "Local APIC Register Address Map"), and its maps of 256 vectors. The device
// and the exits panel take them from here.

export const APIC_REGISTERS = {
  ID: 0x020,
  VERSION: 0x030,
  TPR: 0x080,
  APR: 0x090,
  PPR: 0x0a0,
  EOI: 0x0b0,
  LDR: 0x0d0,
  DFR: 0x0e0,
  SVR: 0x0f0,
  /** ISR, TMR and IRR: eight registers each. */
  ISR: 0x100,
  TMR: 0x180,
  IRR: 0x200,
  ESR: 0x280,
  ICR: 0x300,
  ICR_HIGH: 0x310,
  LVT_TIMER: 0x320,
  LVT_THERMAL: 0x330,
  LVT_COUNTERS: 0x340,
  LVT_LINT0: 0x350,
  LVT_LINT1: 0x360,
  LVT_ERROR: 0x370,
  INITIAL_COUNT: 0x380,
  CURRENT_COUNT: 0x390,
  DIVIDE: 0x3e0,
} as const;

/** Bytes of a map with a bit for each vector. */
export const VECTOR_MAP_BYTES = 32;

/** Highest vector in a map, or -1. */
export function highestVector(map: Uint8Array): number {
  for (let n = VECTOR_MAP_BYTES - 1; n >= 0; n--) if (map[n] !== 0) return n * 8 + 31 - Math.clz32(map[n]);
  return -1;
}
export const hasVector = (map: Uint8Array, vector: number): boolean => (map[vector >> 3] & (1 << (vector & 7))) !== 0;
export function setVector(map: Uint8Array, vector: number, on: boolean): void {
  if (on) map[vector >> 3] |= 1 << (vector & 7);
  else map[vector >> 3] &= ~(1 << (vector & 7));
}
/** The register with vectors 32 * n to 32 * n + 31. */
export const vectorWord = (map: Uint8Array, n: number): number =>
  map[4 * n] | (map[4 * n + 1] << 8) | (map[4 * n + 2] << 16) | (map[4 * n + 3] << 24);
