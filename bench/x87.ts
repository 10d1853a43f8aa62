// The x87's commonest instructions in loops of eight, interpreted and translated, exceptions masked: nanoseconds of processor time
// for each, less those of the loop: the least of some measurements, since what else the machine does only adds.

import { Buffer } from 'node:buffer';
import { createProcessor } from '../src/runtime/processor.ts';
import { flatMode } from '../src/vmm/boot/registers.ts';
import { emptyHost } from '../test/support/emptyHost.ts';
import { table } from './statistics.ts';

const CODE = 0x10000,
  DATA = 0x20000,
  MEMORY = 2 << 20;
/** Instructions of a kind in a loop, warming rounds of a loop, measured ones and how often they are measured. */
const EACH = 8,
  WARM = 100_000,
  ROUNDS = 30_000,
  SAMPLES = 7;

const bytes = (text: string): number[] => [...Buffer.from(text.replaceAll(' ', ''), 'hex')];
/** ESI points to two doubles, 1.1 and 1 / 1.1, and their single forms behind them. */
const LOOPS: readonly (readonly [name: string, setUp: string, body: string])[] = [
  ['nothing (the loop alone)', '', ''],
  ['FLD m64, FSTP m64', '', 'dd06 dd5e20'.repeat(EACH / 2)],
  ['FLD m32, FSTP m32', '', 'd94610 d95e20'.repeat(EACH / 2)],
  ['FILD m32, FISTP m32', '', 'db4618 db5e20'.repeat(EACH / 2)],
  ['FLD ST(1), FSTP ST(1)', 'dd06 dd4608', 'd9c1 ddd9'.repeat(EACH / 2)],
  ['FADD ST, ST(1)', 'dd06 dd4608', 'd8c1'.repeat(EACH)],
  ['FSUB ST, ST(1); FADD m64', 'dd06 dd4608', 'd8e1 dc06'.repeat(EACH / 2)],
  ['FMUL ST, ST(1); FMUL m64', 'dd06 d9e8', 'd8c9 dc4e08'.repeat(EACH / 2)],
  ['FDIVR ST, ST(1)', 'dd06 dd4608', 'd8f9'.repeat(EACH)],
  ['FCOMI ST, ST(1)', 'dd06 dd4608', 'dbf1'.repeat(EACH)],
  ['FCOM ST(1), FNSTSW AX', 'dd06 dd4608', 'd8d1 dfe0'.repeat(EACH / 2)],
  ['FXCH ST(1)', 'dd06 dd4608', 'd9c9'.repeat(EACH)],
  // Steps of a scalar product and of Horner's rule.
  ['FLD m64, FMUL m64, FADDP; FMUL m64', 'd9ee', 'dd06 dc4e08 dec1 dc4e08'.repeat(EACH / 4)],
];

export interface X87Result {
  readonly name: string;
  /** Nanoseconds an instruction, interpreted and translated. */
  readonly interpreted: number;
  readonly translated: number;
}

/** Nanoseconds of one round of a loop. */
function measureLoop(tier: 'interpret' | 'translate', control: number, setUp: string, body: string): number {
  const cpu = createProcessor({ arenaBytes: MEMORY }).createCpu({ host: emptyHost, offset: 0, bytes: MEMORY, tier });
  const data = new DataView(new ArrayBuffer(0x40));
  data.setFloat64(0, 1.1, true);
  data.setFloat64(8, 1 / 1.1, true);
  data.setFloat32(0x10, 1.1, true);
  data.setFloat32(0x14, 1 / 1.1, true);
  data.setInt32(0x18, 12345, true);
  data.setUint16(0x30, control, true);
  cpu.memory.writeBytes(DATA, new Uint8Array(data.buffer));
  const loop = bytes(`${body}49`);
  // fninit; fldcw [esi+30h]; set-up; loop: body; dec ecx; jnz loop; jmp to the loop
  const code = [...bytes(`dbe3 d96e30 ${setUp}`), ...loop, 0x75, (-loop.length - 2) & 0xff, 0xeb, (-loop.length - 4) & 0xff];
  cpu.memory.writeBytes(CODE, Uint8Array.from(code));
  for (const [name, value] of Object.entries(flatMode(CODE, 8, 16, 0))) cpu.set(name, value);
  cpu.set('esi', DATA);
  const ticks = body === '' ? 2 : 2 + EACH;
  cpu.run(WARM * ticks);
  const samples: number[] = [];
  for (let n = 0; n < SAMPLES; n++) {
    const start = process.cpuUsage();
    cpu.run(ROUNDS * ticks);
    samples.push((process.cpuUsage(start).user * 1000) / ROUNDS);
  }
  cpu.dispose();
  return Math.min(...samples);
}

export function measureX87(control = 0x37f): X87Result[] {
  const empty = { interpret: 0, translate: 0 };
  return LOOPS.map(([name, setUp, body]) => {
    const each = (tier: 'interpret' | 'translate'): number => {
      const round = measureLoop(tier, control, setUp, body);
      if (body === '') return (empty[tier] = round);
      return (round - empty[tier]) / EACH;
    };
    return { name, interpreted: each('interpret'), translated: each('translate') };
  });
}
export function x87Table(results: readonly X87Result[]): string {
  return table([
    ['x87, ns an instruction', 'interpreted', 'translated'],
    ...results.map(({ name, interpreted, translated }) => [name, interpreted.toFixed(0), translated.toFixed(0)]),
  ]);
}

if (import.meta.main) process.stdout.write(x87Table(measureX87(Number(process.argv[2] ?? 0x37f))));
