// I/O ports: who may reach them and what the access is (SDM volume 1, "I/O Privilege Level", "I/O Permission Bit Map";
// volume 3, "I/O Breakpoint Exception Conditions").

import { IOPL, S, VECTOR, VM } from '../translator/state.ts';
import { BREAK_ON, matches } from './breakpoints.ts';
import { CR0, CR4 } from './controlBits.ts';
import { TYPE } from './descriptors.ts';
import type { Engine } from './engine.ts';
import { ioQualification } from './exits.ts';
import { fault } from './faults.ts';

/** Offset of the I/O map base in a 32-bit TSS. */
const MAP_BASE = 102;

export function createPorts(engine: Engine): {
  portIn(port: number, bits: number): number;
  portOut(port: number, value: number, bits: number): void;
  checkPort(port: number, bits: number): void;
} {
  const { r, readSystem, updateEvents } = engine;

  function checkPermission(port: number, size: number): void {
    const flags = r[S.SYSTEM_FLAGS]!;
    if ((r[S.CR0]! & CR0.PE) === 0 || ((flags & VM) === 0 && r[S.CPL]! <= (flags & IOPL) >> 12)) return;
    const limit = r[S.TR_LIMIT]! >>> 0,
      type = r[S.TR_ACCESS]! & 15;
    if ((type !== TYPE.TSS32 && type !== TYPE.TSS32_BUSY) || limit < MAP_BASE + 1) fault(VECTOR.GP, 0);
    const at = readSystem((r[S.TR_BASE]! + MAP_BASE) | 0, 2) + (port >> 3);
    // Two bytes are read always, as an access may span both.
    if (at + 1 > limit) fault(VECTOR.GP, 0);
    if (((readSystem((r[S.TR_BASE]! + at) | 0, 2) >> (port & 7)) & ((1 << size) - 1)) !== 0) fault(VECTOR.GP, 0);
  }
  function breakpoint(port: number, size: number): void {
    if (!engine.dataBreakpoints || (r[S.CR4]! & CR4.DE) === 0) return;
    const hit = matches(r, port, size, 1 << BREAK_ON.IO);
    if (hit !== 0) {
      r[S.DEBUG_PENDING]! |= hit;
      updateEvents();
    }
  }
  return {
    checkPort: (port, bits) => checkPermission(port & 0xffff, bits >> 3),
    portIn(port, bits) {
      const size = bits === 32 ? 4 : bits === 16 ? 2 : 1,
        number = port & 0xffff;
      checkPermission(number, size);
      const value = engine.host.portRead(number, size);
      engine.host.exit('ioInstruction', ioQualification(number, size, true), value);
      breakpoint(number, size);
      return value | 0;
    },
    portOut(port, value, bits) {
      const size = bits === 32 ? 4 : bits === 16 ? 2 : 1,
        number = port & 0xffff,
        data = size === 4 ? value >>> 0 : value & ((1 << bits) - 1);
      checkPermission(number, size);
      engine.host.exit('ioInstruction', ioQualification(number, size, false), data);
      engine.host.portWrite(number, data, size);
      breakpoint(number, size);
    },
  };
}
