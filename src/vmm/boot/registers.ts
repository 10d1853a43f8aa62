// Register states that loaders start a guest in (SDM volume 3, "Processor Management and Initialization").

import { ROM_ADDRESS } from '../firmware/symbols.ts';

type Registers = { [name: string]: number };
const SEGMENTS = ['es', 'ss', 'ds', 'fs', 'gs'] as const;
/** Access rights of descriptor bits 40-55: present, accessed, and for 32-bit segments D/B and G. */
const REAL_CODE = 0x009b,
  REAL_DATA = 0x0093,
  FLAT_CODE = 0xc09b,
  FLAT_DATA = 0xc093;
const FLAGS_FIXED = 0x0002,
  FLAGS_IF = 0x0200,
  CR0_PE_ET = 0x11,
  CR0_ET = 0x10;

function segment(name: string, selector: number, base: number, limit: number, access: number): Registers {
  return { [name]: selector, [`${name}_base`]: base, [`${name}_limit`]: limit, [`${name}_access`]: access };
}
const GENERAL: Registers = { eax: 0, ebx: 0, ecx: 0, edx: 0, esi: 0, edi: 0, ebp: 0, esp: 0 };

/** Real mode at cs:ip with interrupts on; ds, es, fs and gs are `data`, the stack is at ss:sp. */
export function realMode(cs: number, ip: number, data: number, ss: number, sp: number, interrupts = true): Registers {
  const registers: Registers = {
    ...GENERAL,
    cr0: CR0_ET,
    eip: ip,
    esp: sp,
    eflags: FLAGS_FIXED | (interrupts ? FLAGS_IF : 0),
    idtr_base: 0,
    idtr_limit: 0x3ff,
    ...segment('cs', cs, cs << 4, 0xffff, REAL_CODE),
  };
  for (const name of SEGMENTS)
    Object.assign(registers, segment(name, name === 'ss' ? ss : data, (name === 'ss' ? ss : data) << 4, 0xffff, REAL_DATA));
  return registers;
}

/** Protected mode without paging, flat 4 GiB segments, interrupts off. `table` is the offset in the ROM of a GDT that holds these selectors. */
export function flatMode(eip: number, code: number, data: number, table: number): Registers {
  const registers: Registers = {
    ...GENERAL,
    cr0: CR0_PE_ET,
    eip,
    eflags: FLAGS_FIXED,
    gdtr_base: ROM_ADDRESS + table,
    gdtr_limit: data + 7,
    idtr_base: 0,
    idtr_limit: 0,
    ...segment('cs', code, 0, 0xffffffff, FLAT_CODE),
  };
  for (const name of SEGMENTS) Object.assign(registers, segment(name, data, 0, 0xffffffff, FLAT_DATA));
  return registers;
}
