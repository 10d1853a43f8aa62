// Which instructions of a page make a region, as blocks and entries (translator/region.ts emits them). The control flow graph
// is cut at its entries: arrival points, loop headers, return sites, and what two of them share and is too large to repeat.
// What one entry reaches without passing another is a tree of blocks with merge points, in the manner of Ramsey's "Beyond
// Relooper" (2022).

import type { Instruction } from './decode.ts';
import { decodeIn } from './decode.ts';
import type { Feature } from './features.ts';
import { callsOf } from './ir/print.ts';
import type { MemoryModel, Value } from './ir/value.ts';
import { meaningOps } from './meaning.ts';

export interface RegionRequest {
  /** Byte of the page. */
  readonly byte: (offset: number) => number;
  readonly mode: number;
  /** Features of the guest's processor; absent: all. */
  readonly features?: ReadonlySet<Feature>;
  /** Where the hot code was entered. */
  readonly entry: number;
  /** Whether the instruction at an offset has run: only such code is emitted (a block without type feedback deoptimises its function). */
  readonly executed: (offset: number) => boolean;
  /** Offsets at which jumps arrive often: where a jump through a table or a pointer may go. */
  readonly arrivals: () => readonly number[];
  /** Whether the region that begins at this offset stays for itself: else a region, `withSites` or without, takes its code in. */
  readonly taken: (offset: number, withSites: boolean) => boolean;
  /** Whether each memory access is checked by itself. */
  readonly separate: boolean;
  /** Offsets where a breakpoint may stand: the region leaves there. */
  readonly breakpoints: ReadonlySet<number>;
  /** Comment for an instruction, when the text is made for a reader. */
  readonly comment?: (i: Instruction) => string;
}

/**
 * Blocks per function: at about 53 bytes of bytecode an instruction, 50 blocks stay near 20 KB. V8 optimises up to 61,440
 * bytes, but 100 blocks took three times as long to warm up as 50, and 200 were 60 times slower for seconds.
 */
const MAX_BLOCKS = 50;
const MAX_INSTRUCTIONS = 400;
const LONGEST = 15;

export interface Step {
  readonly i: Instruction;
  readonly ops: Value[];
  readonly targets: readonly number[];
  readonly falls: boolean;
  readonly leaves: boolean;
  /** Leaves, but goes on here when the interpreter has done it: a runtime function that does not transfer control. */
  readonly resumes: boolean;
  /** May go elsewhere, inside the region or not: a block pays for all its instructions, so it ends here. */
  readonly branches: boolean;
}
export interface Block {
  readonly at: number;
  readonly steps: Step[];
  readonly targets: number[];
  readonly fall: number | undefined;
  readonly ticks: number;
  /** Ends before an instruction that only the interpreter can do. */
  readonly leaves: boolean;
  /** That instruction, when the region goes on after it. */
  readonly resumes: Instruction | undefined;
}
/** Text of a page offset as EIP; `targetOf` finds the offset in such a text again. */
export const eipText = (offset: number): string => `base+${offset}|0`;
/** An instruction's micro-ops with relative targets as texts of `eipText`; made anew for each place that it is printed at. */
export function regionOps(i: Instruction, model: MemoryModel): Value[] {
  return meaningOps(i, model, (offset) => ({ kind: 'imm', w: 32, value: eipText(offset) }));
}
const TARGET = /^\(?base\+(\d+)\|0\)?(?:&65535)?$/;
export function targetOf(text: string): number | undefined {
  const found = TARGET.exec(text);
  return found ? Number(found[1]) : undefined;
}
/** The page offset that a jump's target value stands for, when it is known. */
function staticTarget(v: Value, at: number, code32: boolean): number | undefined {
  if (v.op === 'self') return at;
  if (v.op === 'const' && typeof v.k === 'string') return targetOf(v.k);
  // Truncation to 16 bits changes nothing inside a page of 16-bit code.
  if (v.op === 'and' && !code32 && v.b?.k === 0xffff) return staticTarget(v.a!, at, code32);
  return undefined;
}

export interface Discovery {
  readonly steps: Map<number, Step>;
  readonly roots: Set<number>;
}
/** Follows the code from the entry on; where it has sites, once more with what is left to other regions then. */
export function discover(q: RegionRequest, model: MemoryModel, code32: boolean): Discovery {
  const found = follow(q, model, code32, false);
  return [...found.steps.values()].some(({ resumes }) => resumes) ? follow(q, model, code32, true) : found;
}
function follow(q: RegionRequest, model: MemoryModel, code32: boolean, withSites: boolean): Discovery {
  const steps = new Map<number, Step>(),
    roots = new Set<number>([q.entry]);
  const queue = [q.entry],
    later: number[] = [];
  let blocks = 0,
    indirect = false;
  const wanted = (offset: number): boolean =>
    offset >= 0 && offset < 4096 && q.executed(offset) && !(q.taken(offset, withSites) && offset !== q.entry);
  // What no direct branch reaches is where the indirect ones go.
  const guessed = new Set<number>();
  let likely: number[] | undefined;
  const guess = (): number | undefined => {
    if (!indirect) return undefined;
    likely ??= indirectTargets(q);
    for (let to = likely.shift(); to !== undefined; to = likely.shift()) {
      if (!wanted(to) || steps.has(to)) continue;
      guessed.add(to);
      return to;
    }
    return undefined;
  };
  const next = (): number | undefined => queue.shift() ?? later.shift() ?? guess();
  for (let start = next(); start !== undefined; start = next()) {
    if (steps.has(start) || blocks >= MAX_BLOCKS || steps.size >= MAX_INSTRUCTIONS) continue;
    blocks++;
    for (let at = start; wanted(at) && !steps.has(at) && at <= 4096 - LONGEST; ) {
      const i = decodeIn(q.byte, at, q.mode, q.features);
      const ops = regionOps(i, model);
      const after = at + i.length,
        { calls, transfers } = callsOf(ops);
      const stops = q.breakpoints.has(at) || ops.some((v) => v.op === 'raise'),
        leaves = calls || stops;
      const targets: number[] = [];
      for (const v of ops) {
        if (v.op !== 'jump' && v.op !== 'branch') continue;
        const to = staticTarget(v.op === 'jump' ? v.a! : v.b!, at, code32);
        if (to === undefined) indirect ||= i.row.name === 'JMP';
        else if (wanted(to)) targets.push(to);
      }
      const last = ops[ops.length - 1],
        falls = !(last?.op === 'jump');
      const isCall = ops.some((v) => v.op === 'store') && !falls;
      steps.set(at, {
        i,
        ops,
        targets,
        falls: falls && !leaves,
        leaves,
        resumes: calls && !transfers && !stops && wanted(after),
        branches: targets.length > 0 || ops.some((v) => v.op === 'jump' || v.op === 'branch'),
      });
      if (leaves || isCall) {
        if (wanted(after)) {
          roots.add(after);
          later.push(after);
        }
        if (leaves) break;
      }
      if (steps.get(at)!.branches) {
        queue.push(...targets);
        if (falls) queue.unshift(after);
        break;
      }
      at = after;
    }
  }
  for (const [at, s] of steps) {
    for (const to of s.targets) guessed.delete(to);
    if (s.falls || s.leaves) guessed.delete(at + s.i.length);
  }
  for (const to of guessed) if (steps.has(to)) roots.add(to);
  return { steps, roots };
}

/** Offsets at which jumps arrive often although no instruction that has run leads there: in order, the most frequent first. */
function indirectTargets(q: RegionRequest): number[] {
  const led = new Set<number>();
  for (let at = 0; at < 4096; at++) {
    if (!q.executed(at)) continue;
    const i = decodeIn(q.byte, at, q.mode, q.features),
      relative = i.operands.find((_, n) => i.row.operands[n]?.startsWith('J'));
    if (relative?.kind === 'imm') led.add(relative.value as number);
    if (!/^(?:JMP|RET)/.test(i.row.name)) led.add(at + i.length);
  }
  return q.arrivals().filter((at) => !led.has(at));
}

export function formBlocks(steps: Map<number, Step>, entry: number, roots: Set<number>): Map<number, Block> {
  const leaders = new Set<number>([entry]);
  for (const root of roots) if (steps.has(root)) leaders.add(root);
  for (const [at, s] of steps) {
    for (const to of s.targets) if (steps.has(to)) leaders.add(to);
    if (s.branches && s.falls && steps.has(at + s.i.length)) leaders.add(at + s.i.length);
  }
  const blocks = new Map<number, Block>();
  for (const leader of leaders) {
    const list: Step[] = [];
    let at = leader,
      last: Step;
    do {
      last = steps.get(at)!;
      if (last.leaves) break;
      list.push(last);
      at += last.i.length;
    } while (last.falls && !last.branches && steps.has(at) && !leaders.has(at));
    // A block ends by falling on, by jumping, or by leaving at an instruction that is not in it.
    const fall = last.leaves || last.falls ? at : undefined;
    blocks.set(leader, {
      at: leader,
      steps: list,
      targets: last.leaves ? [] : [...last.targets],
      fall,
      ticks: list.length,
      leaves: last.leaves,
      resumes: last.resumes ? last.i : undefined,
    });
  }
  return blocks;
}

/** Whether entering there is better than interpreting. */
export function doesSomething(b: Block): boolean {
  return b.steps.length > 0 || b.resumes !== undefined;
}

/** Successors inside the region. */
function successors(b: Block, blocks: ReadonlyMap<number, Block>): number[] {
  return [...b.targets, ...(b.fall === undefined ? [] : [b.fall])]
    .filter((to) => to !== b.at || b.targets.includes(to))
    .filter((to) => blocks.has(to));
}

export function chooseEntries(blocks: ReadonlyMap<number, Block>, entry: number, roots: ReadonlySet<number>): number[] {
  const entries = new Set<number>([entry]);
  for (const root of roots) if (blocks.has(root) && doesSomething(blocks.get(root)!)) entries.add(root);
  // Loop headers: targets of edges to a block still on the depth-first path.
  const state = new Map<number, 1 | 2>();
  const visit = (at: number): void => {
    const path: { at: number; rest: number[] }[] = [{ at, rest: successors(blocks.get(at)!, blocks) }];
    state.set(at, 1);
    while (path.length > 0) {
      const top = path[path.length - 1]!,
        to = top.rest.shift();
      if (to === undefined) {
        state.set(top.at, 2);
        path.pop();
        continue;
      }
      if (state.get(to) === 1) entries.add(to);
      else if (!state.has(to)) {
        state.set(to, 1);
        path.push({ at: to, rest: successors(blocks.get(to)!, blocks) });
      }
    }
  };
  for (const root of [entry, ...roots]) if (blocks.has(root) && !state.has(root)) visit(root);
  // What two entries reach becomes an entry itself.
  for (let changed = true; changed; ) {
    changed = false;
    const owner = new Map<number, number>();
    for (const e of [...entries]) {
      const queue = successors(blocks.get(e)!, blocks);
      for (let at = queue.pop(); at !== undefined; at = queue.pop()) {
        if (entries.has(at) || owner.get(at) === e) continue;
        if (owner.has(at)) {
          if (sizeFrom(at, blocks, entries) <= REPEATED) {
            owner.set(at, e);
            queue.push(...successors(blocks.get(at)!, blocks));
            continue;
          }
          entries.add(at);
          changed = true;
          continue;
        }
        owner.set(at, e);
        queue.push(...successors(blocks.get(at)!, blocks));
      }
    }
  }
  return [entry, ...[...entries].filter((e) => e !== entry)].slice(0, 255);
}

/** Instructions of the tree at `at`, as it would be repeated. */
export function sizeFrom(at: number, blocks: ReadonlyMap<number, Block>, entries: ReadonlySet<number>): number {
  const seen = new Set<number>([at]);
  let size = 0;
  for (const b of seen) {
    size += blocks.get(b)!.steps.length;
    for (const to of successors(blocks.get(b)!, blocks)) if (!entries.has(to)) seen.add(to);
    if (size > 1000) break;
  }
  return size;
}
/**
 * Instructions of a tree at most that is repeated where another tree reaches it, instead of being jumped to through the switch:
 * with it (and indirect targets in the region) a switch interpreter took 124 ms instead of 413, fib 59 instead of 80.
 */
export const REPEATED = 12;
/** Nodes of a tree: page offset, plus this in the copy of another entry's tree. */
export const COPY = 4096;

/** Node of the tree that an edge from a node leads to; undefined when it leaves the tree for an entry. */
export type Placing = (from: number, to: number) => number | undefined;
export interface Tree {
  /** Blocks of the tree in reverse postorder. */
  readonly order: number[];
  /** Nodes of the tree that a node leads to. */
  readonly followers: ReadonlyMap<number, readonly number[]>;
  readonly children: ReadonlyMap<number, number[]>;
  readonly merges: ReadonlySet<number>;
}
/** Dominator tree of what `root` reaches without passing another entry (an acyclic graph). */
export function treeOf(root: number, blocks: ReadonlyMap<number, Block>, place: Placing): Tree {
  const inner = (id: number): number[] =>
    successors(blocks.get(id % COPY)!, blocks)
      .map((to) => place(id, to))
      .filter((to) => to !== undefined);
  const post: number[] = [],
    seen = new Set<number>([root]);
  const stack: { at: number; rest: number[] }[] = [{ at: root, rest: inner(root) }];
  while (stack.length > 0) {
    const top = stack[stack.length - 1]!,
      to = top.rest.shift();
    if (to === undefined) {
      post.push(top.at);
      stack.pop();
    } else if (!seen.has(to)) {
      seen.add(to);
      stack.push({ at: to, rest: inner(to) });
    }
  }
  const order = post.reverse(),
    rank = new Map(order.map((at, n) => [at, n]));
  const parent = new Map<number, number>(),
    merges = new Set<number>(),
    edges = new Map<number, number>();
  const common = (a: number, b: number): number => {
    while (a !== b) {
      if (rank.get(a)! > rank.get(b)!) a = parent.get(a)!;
      else b = parent.get(b)!;
    }
    return a;
  };
  for (const at of order) {
    for (const to of inner(at)) {
      edges.set(to, (edges.get(to) ?? 0) + 1);
      if (edges.get(to)! > 1) merges.add(to);
      parent.set(to, parent.has(to) ? common(parent.get(to)!, at) : at);
    }
  }
  const children = new Map<number, number[]>();
  for (const at of order) if (at !== root) children.set(parent.get(at)!, [...(children.get(parent.get(at)!) ?? []), at]);
  return { order, followers: new Map(order.map((at) => [at, inner(at)])), children, merges };
}
/** Most ticks that a way through the tree can cost. */
export function longest(root: number, tree: Tree, blocks: ReadonlyMap<number, Block>, place: Placing): number {
  const cost = new Map<number, number>();
  for (const at of [...tree.order].reverse()) {
    const b = blocks.get(at % COPY)!;
    const after = successors(b, blocks)
      .map((to) => place(at, to))
      .filter((to) => to !== undefined)
      .map((to) => cost.get(to)!);
    cost.set(at, b.ticks + Math.max(0, ...after));
  }
  return cost.get(root)!;
}
