// Which memory accesses of a region are checked together. Accesses at constant distances from each other (a stack frame, the
// fields of a structure) mostly lie in one page: the first of them looks into the TLB for all, and the others only address.
// Where the check fails the region leaves at the first access, as everywhere; a region whose checks fail for no other reason
// than that they were put together (a frame across two pages) is translated again without (runtime/translation.ts).
//
// Addresses are compared as linear expressions of register values. What is known holds along ways without a merge point, so a
// check covers the blocks that follow on such a way, too. Nothing in a region changes a TLB entry: checked once is checked.

import type { MemoryModel, Value } from './ir/value.ts';
import type { Tree } from './regionGraph.ts';

/** Bytes that accesses checked together may span: they must lie in one page, so one frame in 4096 / MOST_SPAN does not. */
const MOST_SPAN = 256;
/** Register values that an address may be made of: base and index, each itself computed from one or two. */
const MOST_TERMS = 3;
const ESP = 4;

export interface Group {
  /** The local that holds the TLB entry. */
  readonly entry: string;
  /** Whether the entry must allow writing. */
  write: boolean;
  /** Range of the accesses, as distances like those of the members. */
  least: number;
  end: number;
  members: number;
}
export interface Member {
  readonly group: Group;
  /** Distance of this access from the group's origin, in bytes. */
  readonly distance: number;
  /** Looks into the TLB for the whole group. */
  readonly first: boolean;
}

/** Sum of register values and a constant, modulo 2^32; terms in the order of their values' numbers. */
interface Linear {
  readonly terms: readonly { readonly value: number; readonly scale: number }[];
  readonly constant: number;
}
interface Known {
  readonly registers: Linear[];
  /** By the text of an address's terms: the group that an access there may join, and where it was begun. */
  readonly groups: Map<string, { readonly group: Group; readonly at: number }>;
}

/** Micro-ops of a tree's blocks: by node, then instruction. */
export type TreeOps = ReadonlyMap<number, readonly (readonly Value[])[]>;

/** Finds the accesses of a tree that are checked together; an access that is not in the result is checked by itself. */
export function planChecks(tree: Tree, ops: TreeOps, model: MemoryModel): Map<Value, Member> {
  const members = new Map<Value, Member>(),
    stackValues = new Set<number>(),
    before = new Map<number, Known>();
  let values = 0,
    groups = 0;

  const unknown = (): Linear => ({ terms: [{ value: values++, scale: 1 }], constant: 0 });
  function fresh(): Known {
    const registers = Array.from({ length: 8 }, unknown);
    stackValues.add(registers[ESP]!.terms[0]!.value);
    return { registers, groups: new Map() };
  }
  const copy = ({ registers, groups }: Known): Known => ({ registers: [...registers], groups: new Map(groups) });

  function access(v: Value, address: Linear, known: Known, at: number): void {
    const key = address.terms.map(({ value, scale }) => `${value}*${scale}`).join('+'),
      start = address.constant,
      end = start + (v.w >> 3),
      write = v.op !== 'load';
    const found = known.groups.get(key);
    if (found) {
      const { group } = found,
        least = Math.min(group.least, start),
        last = Math.max(group.end, end);
      // A write that may not come to pass must not keep reads from passing, but on the stack, which is written all the time.
      const allowed = !write || group.write || found.at === at || address.terms.every(({ value }) => stackValues.has(value));
      if (allowed && last - least <= MOST_SPAN) {
        Object.assign(group, { least, end: last, write: group.write || write });
        group.members++;
        members.set(v, { group, distance: start, first: false });
        return;
      }
    }
    const group: Group = { entry: `j${groups++}`, write, least: start, end, members: 1 };
    known.groups.set(key, { group, at });
    members.set(v, { group, distance: start, first: true });
  }

  for (const id of tree.order) {
    const known = before.get(id) ?? fresh();
    let certain = true;
    for (const instruction of ops.get(id)!) certain = follow(instruction, known, id);
    for (const to of tree.followers.get(id)!) if (!tree.merges.has(to) && certain) before.set(to, copy(known));
  }
  for (const [v, { group }] of members) if (group.members === 1) members.delete(v);
  return members;

  /** Follows an instruction's micro-ops; false when what is known afterwards does not hold on each way out. */
  function follow(instruction: readonly Value[], known: Known, id: number): boolean {
    const results = new Map<Value, Linear>();
    const of = (v: Value): Linear => {
      let result = results.get(v);
      if (!result) results.set(v, (result = unknown()));
      return result;
    };
    let depth = 0,
      branched = false,
      certain = true;
    for (const v of instruction) {
      switch (v.op) {
        case 'if':
          depth++;
          break;
        case 'end':
          depth--;
          break;
        case 'branch':
          branched = true;
          break;
        case 'const':
          if (typeof v.k === 'number') results.set(v, { terms: [], constant: v.k | 0 });
          break;
        case 'gpr':
          if (v.w === 32) results.set(v, known.registers[v.k as number]!);
          break;
        case 'add':
          results.set(v, sum(of(v.a!), of(v.b!), 1) ?? unknown());
          break;
        case 'sub':
          results.set(v, sum(of(v.a!), of(v.b!), -1) ?? unknown());
          break;
        case 'shl':
          if (v.b!.op === 'const') results.set(v, scaled(of(v.a!), 1 << (v.b!.k as number)));
          break;
        case 'setGpr': {
          const n = v.w === 8 ? (v.k as number) & 3 : (v.k as number);
          known.registers[n] = v.w === 32 && depth === 0 ? of(v.a!) : unknown();
          certain &&= !branched;
          break;
        }
        case 'load':
        case 'modify':
        case 'store':
        case 'probe':
          if (depth === 0 && model.flat(v.seg)) access(v, of(v.a!), known, id);
      }
    }
    return certain;
  }
}

/** a + scale * b, or undefined when it has too many terms. */
function sum(a: Linear, b: Linear, scale: number): Linear | undefined {
  const scales = new Map(a.terms.map((term) => [term.value, term.scale]));
  for (const term of b.terms) scales.set(term.value, ((scales.get(term.value) ?? 0) + Math.imul(term.scale, scale)) | 0);
  const terms = [...scales].filter(([, s]) => s !== 0).sort(([x], [y]) => x - y);
  if (terms.length > MOST_TERMS) return undefined;
  return { terms: terms.map(([value, s]) => ({ value, scale: s })), constant: (a.constant + Math.imul(b.constant, scale)) | 0 };
}
function scaled({ terms, constant }: Linear, by: number): Linear {
  const products = terms.map(({ value, scale }) => ({ value, scale: Math.imul(scale, by) }));
  return { terms: products.filter(({ scale }) => scale !== 0), constant: Math.imul(constant, by) };
}
