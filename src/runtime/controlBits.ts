// Bits of the control and debug registers that the runtime acts on (SDM volume 3, "Control Registers", "Debug Registers").

export const CR0 = {
  PE: 1,
  MP: 2,
  EM: 4,
  TS: 8,
  ET: 0x10,
  NE: 0x20,
  WP: 0x10000,
  AM: 0x40000,
  NW: 0x20000000,
  CD: 0x40000000,
  PG: 1 << 31,
} as const;
export const CR4 = { TSD: 4, DE: 8, PSE: 0x10, PGE: 0x80, PCE: 0x100, OSFXSR: 0x200, OSXMMEXCPT: 0x400 } as const;
export const DR6 = { BD: 0x2000, BS: 0x4000, BT: 0x8000, FIXED: 0xffff0ff0 | 0 } as const;
/** GD: access to debug registers raises #DB. LOCAL: L0-L3 and LE, which a task switch clears. FIXED: bit 10. */
export const DR7 = { GD: 0x2000, LOCAL: 0x155, FIXED: 0x400, WRITABLE: 0xffff23ff | 0 } as const;
