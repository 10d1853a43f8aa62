// The processors a guest can have, by name: what CPUID says of each and so how it behaves (SDM volume 2, CPUID; volume 3,
// "Processor Identification and Feature Determination"; volume 4, tables of family and model numbers). CPUID, decoder, control
// registers, paging and model-specific registers all ask the features here. Names, and additions to them, are as in QEMU's
// -cpu: `NAME[,+FEATURE][,-FEATURE][,FEATURE=on|off][,kvm=off]`.

import { FEATURES, type Feature } from '../translator/features.ts';
import { ROWS } from '../translator/instructions/index.ts';
import { CR4, CR4_FEATURE } from './controlBits.ts';

/** A cache of leaf 4. */
export interface CacheRow {
  readonly kind: 'data' | 'instruction' | 'unified';
  readonly level: number;
  /** Bytes of a line. */
  readonly line: number;
  readonly ways: number;
  readonly sets: number;
}
interface ModelRow {
  readonly about: string;
  readonly family: number;
  readonly model: number;
  readonly stepping: number;
  /** Highest basic and extended leaf; 0: there are no extended leaves. */
  readonly level: number;
  readonly extendedLevel: number;
  readonly brand: string;
  /** MAXPHYADDR. */
  readonly physicalBits: number;
  /** Revision of the microcode that IA32_BIOS_SIGN_ID shows. */
  readonly microcode: number;
  /** Banks of the machine-check architecture. */
  readonly banks: number;
  /** Bytes of leaf 2. */
  readonly descriptors: readonly number[];
  readonly caches: readonly CacheRow[];
  /** What the processor of this name has; what is not built is not announced. */
  readonly features: readonly Feature[];
}

const I486: readonly Feature[] = ['fpu', 'hypervisor'];
const PENTIUM: readonly Feature[] = [...I486, 'de', 'pse', 'tsc', 'msr', 'mce', 'cx8', 'apic', 'mmx', 'pmc'];
const PENTIUM_PRO: readonly Feature[] = [...PENTIUM, 'pae', 'sep', 'pge', 'cmov', 'pat', 'fxsr', 'sse', 'nopl'];
const QEMU32: readonly Feature[] = [...PENTIUM_PRO, 'sse2', 'pni'];
const PENTIUM3: readonly Feature[] = [...PENTIUM_PRO, 'mtrr', 'mca', 'pse36'];
const ATOM: readonly Feature[] = [...PENTIUM3, 'sse2', 'pni', 'ssse3', 'clflush', 'movbe', 'nx', 'nonstop_tsc'];
const N270 = {
  family: 6,
  model: 28,
  stepping: 2,
  level: 10,
  extendedLevel: 0x80000008,
  physicalBits: 36,
  microcode: 0x218,
  banks: 5,
  // TLBs (4 KiB: 32 entries for code, 64 for data), 512 KiB second level, 24 KiB data, 32 KiB code.
  descriptors: [0x4f, 0xba, 0x80, 0x0e, 0x30],
  caches: [
    { kind: 'data', level: 1, line: 64, ways: 6, sets: 64 },
    { kind: 'instruction', level: 1, line: 64, ways: 8, sets: 64 },
    { kind: 'unified', level: 2, line: 64, ways: 8, sets: 1024 },
  ],
} as const satisfies Partial<ModelRow>;
const OLD = { level: 1, extendedLevel: 0, brand: '', physicalBits: 32, microcode: 0, banks: 0, descriptors: [], caches: [] } as const;

/** The models by name. */
export const CPU_MODELS = {
  486: { ...OLD, about: 'Intel 486 DX4', family: 4, model: 8, stepping: 0, features: I486 },
  pentium: { ...OLD, about: 'Pentium with MMX', family: 5, model: 4, stepping: 3, features: PENTIUM },
  pentium3: {
    ...OLD,
    about: 'Pentium III',
    family: 6,
    model: 8,
    stepping: 3,
    level: 2,
    physicalBits: 36,
    banks: 5,
    // 16 KiB code, 16 KiB data, 256 KiB second level.
    descriptors: [0x01, 0x02, 0x03, 0x08, 0x04, 0x0c, 0x82],
    features: PENTIUM3,
  },
  qemu32: {
    ...OLD,
    about: "QEMU's model of this name",
    family: 6,
    model: 6,
    stepping: 3,
    level: 4,
    extendedLevel: 0x80000004,
    brand: 'QEMU Virtual CPU version 2.5+',
    descriptors: [0x2c, 0x30, 0x7d],
    caches: [
      { kind: 'data', level: 1, line: 64, ways: 8, sets: 64 },
      { kind: 'instruction', level: 1, line: 64, ways: 8, sets: 64 },
      { kind: 'unified', level: 2, line: 64, ways: 16, sets: 4096 },
    ],
    features: QEMU32,
  },
  n270: {
    ...N270,
    about: 'Intel Atom N270, executes in order: kernels know that no speculation bug concerns it',
    brand: 'Intel(R) Atom(TM) CPU N270 (CP/86)',
    features: ATOM,
  },
  max: {
    ...N270,
    about: 'everything that is built, on top of n270',
    brand: 'Intel(R) Atom(TM) CPU (CP/86, all features)',
    features: Object.keys(FEATURES) as Feature[],
  },
} as const satisfies Record<string, ModelRow>;
/** Cycles of every model's time-stamp counter in a second. */
export const TSC_HERTZ = 250_000_000;
/** The leaf that describes what XSAVE saves. */
const XSAVE_LEAF = 13;
export const DEFAULT_CPU = 'n270' satisfies keyof typeof CPU_MODELS;

/** Features without instructions of their own that are built; the others are built when a row of the instruction table names them. */
const PROCESSOR: readonly Feature[] = [
  'fpu',
  'de',
  'pse',
  'pae',
  'pge',
  'mce',
  'mca',
  'mtrr',
  'pat',
  'pse36',
  'hypervisor',
  'smep',
  'umip',
  'nx',
  'nonstop_tsc',
  'apic',
  'tsc_deadline_timer',
];
export const BUILT: ReadonlySet<Feature> = new Set([...PROCESSOR, ...ROWS.flatMap(({ feature }) => feature ?? [])]);

/** A guest's processor. */
export interface CpuModel extends ModelRow {
  readonly name: string;
  /** Family, model and stepping as EAX of leaf 1 and EDX after a reset have them. */
  readonly signature: number;
  readonly has: ReadonlySet<Feature>;
  /** Bits of CR4 that can be set. */
  readonly cr4: number;
  /** KVM's paravirtual interface is there. */
  readonly kvm: boolean;
}

/** Other names of features. */
const ALIASES: { readonly [name: string]: Feature } = { invtsc: 'nonstop_tsc', sse3: 'pni' };

function featureOf(name: string): Feature | undefined {
  const plain = name.replace(/[-.]/g, '_');
  return ALIASES[plain] ?? (Object.hasOwn(FEATURES, plain) ? (plain as Feature) : undefined);
}

/** The processor of a `-cpu` text. Throws a RangeError that lists what there is. */
export function cpuModel(text: string): CpuModel {
  const [name, ...changes] = text.split(',');
  if (!Object.hasOwn(CPU_MODELS, name!)) throw new RangeError(`cpu '${text}': the model can be ${Object.keys(CPU_MODELS).join(', ')}.`);
  const row: ModelRow = CPU_MODELS[name as keyof typeof CPU_MODELS];
  const has = new Set(row.features.filter((feature) => BUILT.has(feature)));
  let kvm = true;
  for (const change of changes) {
    const [, sign, plain, value] = /^([+-]?)([\w.-]+?)(?:=(on|off))?$/.exec(change) ?? [];
    const on = sign ? sign === '+' : value !== 'off',
      feature = plain === undefined ? undefined : featureOf(plain);
    if (plain === 'kvm' && !sign) kvm = on;
    else if (feature === undefined || (sign && value) || (on && !BUILT.has(feature))) {
      throw new RangeError(`cpu '${text}': '${change}' is not known; +FEATURE, -FEATURE and kvm=off are, with ${[...BUILT].join(', ')}.`);
    } else if (on) has.add(feature);
    else has.delete(feature);
  }
  const leaves = [...has].map((feature) => FEATURES[feature]?.leaf ?? 0),
    extended = (leaf: number): boolean => leaf >= 0x80000000;
  return {
    ...row,
    name: name!,
    signature: (row.family << 8) | ((row.model >> 4) << 16) | ((row.model & 15) << 4) | row.stepping,
    level: Math.max(row.level, has.has('xsave') ? XSAVE_LEAF : 0, ...leaves.filter((leaf) => !extended(leaf))),
    extendedLevel: Math.max(row.extendedLevel, ...leaves.filter(extended)),
    has,
    cr4: (Object.keys(CR4) as (keyof typeof CR4)[]).reduce((mask, bit) => mask | (has.has(CR4_FEATURE[bit]) ? CR4[bit] : 0), 0),
    kvm: kvm && has.has('hypervisor') && has.has('msr') && has.has('tsc'),
  };
}
