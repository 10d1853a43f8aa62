// System instructions, NOP and what is neither (SDM volume 1, "System Instructions", "Miscellaneous Instructions"; volume 2
// for each operation).

import type { CallName } from '../calls.ts';
import { CF, S, VECTOR } from '../state.ts';
import { memory, segmentBase, zeroFlag } from './common.ts';
import type { Meaning } from './notation.ts';
import { insn } from './notation.ts';

/** An instruction that is one call without arguments or results. */
const just =
  (name: CallName): Meaning =>
  (b) => {
    b.call(name);
  };

// ---- descriptor tables
for (const [name, digit, call] of [
  ['SLDT', 0, 'storeLdtr'],
  ['STR', 1, 'storeTr'],
] as const) {
  insn(name, [`0f 00 /${digit} Mw`, `0f 00 /${digit} Rv`], (b, _i, d) => {
    const selector = b.call(call);
    b.call('mayStoreTables');
    b.write(d, selector);
  });
}
insn('LLDT', ['0f 00 /2 Ew'], (b, _i, d) => {
  b.call('protectedOnly');
  b.call('supervisorOnly');
  b.call('loadLdtr', b.read(d));
});
insn('LTR', ['0f 00 /3 Ew'], (b, _i, d) => {
  b.call('protectedOnly');
  b.call('supervisorOnly');
  b.call('loadTr', b.read(d));
});
for (const [name, code, call] of [
  ['VERR', '0f 00 /4 Ew', 'verifyRead'],
  ['VERW', '0f 00 /5 Ew', 'verifyWrite'],
] as const) {
  insn(name, [code], (b, _i, d) => {
    b.call('protectedOnly');
    zeroFlag(b, b.ne(b.call(call, b.read(d)), b.imm(0)));
  });
}
for (const [name, code, call] of [
  ['LAR', '0f 02 /r Gv,Ew', 'loadAccessRights'],
  ['LSL', '0f 03 /r Gv,Ew', 'loadSegmentLimit'],
] as const) {
  insn(name, [code], (b, _i, d, s) => {
    b.call('protectedOnly');
    const valid = b.ne(b.call(call, b.read(s)), b.imm(0));
    b.write(d, b.select(valid, b.trunc(b.second(), d.w), b.read(d)));
    zeroFlag(b, valid);
  });
}
insn('ARPL', ['63 /r Ew,Gw'], (b, _i, d, s) => {
  b.call('protectedOnly');
  const x = b.modify(d),
    rpl = b.and(b.read(s), b.imm(3));
  const raises = b.ltu(b.and(x, b.imm(3)), rpl);
  b.write(d, b.select(raises, b.or(b.and(x, b.imm(0xfffc)), rpl), x));
  zeroFlag(b, raises);
});

/** Limit and base in memory; 16-bit operand size gives the base 24 bits. */
const storeTable =
  (base: number, limit: number): Meaning =>
  (b, i, d) => {
    b.call('mayStoreTables');
    const low = b.memory(memory(d).seg, b.offset(d), 16),
      high = b.beyond(d, 2, 32, i.address);
    b.probe(low.seg, b.offset(low), 16);
    b.probe(high.seg, b.offset(high), 32);
    b.write(low, b.state(limit));
    b.write(high, i.w === 16 ? b.and(b.state(base), b.imm(0xffffff)) : b.state(base));
  };
const loadTable =
  (call: 'loadGdtr' | 'loadIdtr'): Meaning =>
  (b, i, d) => {
    b.call('supervisorOnly');
    const limit = b.load(memory(d).seg, b.offset(d), 16),
      base = b.read(b.beyond(d, 2, 32, i.address));
    b.call(call, i.w === 16 ? b.and(base, b.imm(0xffffff)) : base, limit);
  };
const SIZED = { operandSized: true } as const;
insn('SGDT', ['0f 01 /0 Ms'], storeTable(S.GDTR_BASE, S.GDTR_LIMIT), SIZED);
insn('SIDT', ['0f 01 /1 Ms'], storeTable(S.IDTR_BASE, S.IDTR_LIMIT), SIZED);
insn('LGDT', ['0f 01 /2 Ms'], loadTable('loadGdtr'), SIZED);
insn('LIDT', ['0f 01 /3 Ms'], loadTable('loadIdtr'), SIZED);

// ---- control and debug registers; CR1 and CR5-CR7 do not exist
insn('SMSW', ['0f 01 /4 Mw', '0f 01 /4 Rv'], (b, _i, d) => {
  b.call('mayStoreTables');
  b.write(d, b.trunc(b.state(S.CR0), d.w));
});
insn('LMSW', ['0f 01 /6 Ew'], (b, _i, d) => {
  b.call('supervisorOnly');
  b.call('loadMachineStatus', b.read(d));
});
insn('MOV', ['0f 20 /0 Rd,Cd', '0f 20 /2-4 Rd,Cd'], (b, _i, d, s) => b.write(d, b.call('readControl', b.read(s))));
insn('MOV', ['0f 22 /0 Cd,Rd', '0f 22 /2-4 Cd,Rd'], (b, _i, d, s) => {
  b.call('writeControl', b.read(d), b.read(s));
});
insn('MOV', ['0f 21 /r Rd,Dd'], (b, _i, d, s) => b.write(d, b.call('readDebug', b.read(s))));
insn('MOV', ['0f 23 /r Dd,Rd'], (b, _i, d, s) => {
  b.call('writeDebug', b.read(d), b.read(s));
});
insn('CLTS', ['0f 06'], just('clearTaskSwitched'));

// ---- caches, TLB, model-specific registers, counters
insn('INVLPG', ['0f 01 /7 Mb'], (b, _i, d) => {
  b.call('invalidatePage', b.add(segmentBase(b, memory(d).seg), b.offset(d)));
});
insn('INVD', ['0f 08'], just('invalidateCaches'));
insn('WBINVD', ['0f 09'], just('writeBackInvalidate'));
insn('WRMSR', ['0f 30'], just('writeMsr'), { feature: 'msr' });
insn('RDTSC', ['0f 31'], just('readTsc'), { feature: 'tsc' });
insn('RDTSCP', ['0f 01 f9'], just('readTscAndAux'), { feature: 'rdtscp' });
insn(
  'RDRAND',
  ['0f c7 /6 Rv'],
  (b, _i, d) => {
    b.write(d, b.trunc(b.call('random'), d.w));
    b.flagsAll(b.imm(CF));
  },
  { feature: 'rdrand' },
);
insn('RDMSR', ['0f 32'], just('readMsr'), { feature: 'msr' });
insn('XGETBV', ['np 0f 01 d0'], just('readExtendedControl'), { feature: 'xsave' });
insn('XSETBV', ['np 0f 01 d1'], just('writeExtendedControl'), { feature: 'xsave' });
insn('RDPMC', ['0f 33'], just('readPmc'), { feature: 'pmc' });
insn('CPUID', ['0f a2'], just('cpuid'));
insn('SYSENTER', ['0f 34'], just('sysenter'), { transfers: true, feature: 'sep' });
insn('SYSEXIT', ['0f 35'], just('sysexit'), { transfers: true, feature: 'sep' });
insn('VMCALL', ['0f 01 c1'], just('vmcall'));
insn('HLT', ['f4'], just('halt'));

// ---- no operation: from the Pentium Pro on all of 0F 18-1F are NOPs that decode a ModRM operand without touching it
const nothing: Meaning = () => {};
const LONG = { feature: 'nopl' } as const;
insn('NOP', ['90'], nothing);
insn(
  'NOP',
  [
    '0f 19 /r Ev',
    '0f 1a /r Ev',
    '0f 1b /r Ev',
    '0f 1c /r Ev',
    '0f 1d /r Ev',
    '0f 1e /r Ev',
    '0f 1f /r Ev',
    '0f 18 /4-7 Ev',
    '0f 18 /0-3 Rv',
  ],
  nothing,
  LONG,
);
insn('PAUSE', ['f3 90'], nothing);
insn('PREFETCHNTA', ['0f 18 /0 Mb'], nothing, LONG);
insn('PREFETCHT0', ['0f 18 /1 Mb'], nothing, LONG);
insn('PREFETCHT1', ['0f 18 /2 Mb'], nothing, LONG);
insn('PREFETCHT2', ['0f 18 /3 Mb'], nothing, LONG);
insn('PREFETCH', ['0f 0d /0 Eb', '0f 0d /2-7 Eb'], nothing, LONG);
insn('PREFETCHW', ['0f 0d /1 Eb'], nothing, LONG);

// ---- undefined on purpose; RSM outside system-management mode, which this processor never enters
const undefinedOpcode: Meaning = (b) => b.raise(VECTOR.UD);
const UNDEFINED = { transfers: true } as const;
insn('UD2', ['0f 0b'], undefinedOpcode, UNDEFINED);
insn('UD1', ['0f b9 /r Gv,Ev'], undefinedOpcode, UNDEFINED);
insn('UD0', ['0f ff /r Gv,Ev'], undefinedOpcode, UNDEFINED);
insn('RSM', ['0f aa'], undefinedOpcode, UNDEFINED);
