// A hot region of one page -> one JavaScript function: registers in locals, loops as JavaScript loops, lazy flags in three
// locals fused into the branches that read them, memory through the TLB. The function does only what cannot fail: anything
// else leaves at the instruction's boundary with exact state, and the interpreter does that one instruction.
//
// The control flow graph is cut at its entries (arrival points, loop headers, return sites, and what two of them share);
// what one entry dominates is emitted structurally: a block with one predecessor in place, others behind labelled blocks, in
// the manner of Ramsey's "Beyond Relooper" (2022). Entries are the cases of one switch.
//
// Ticks: a block pays for its instructions when it starts; an entry tests that the longest way to the next test can be paid.

import type { Instruction } from './decode.ts';
import { FLAGS } from './flags.ts';
import {
  ENGINE_HEADER,
  elementsText,
  hit,
  loadText,
  loadWordsText,
  RECORD,
  reaches,
  storeText,
  storeWordsText,
  X87_MEMORY,
  x87Form,
} from './forms.ts';
import { EM, TS } from './instructions/fpu.ts';
import type { Target } from './ir/print.ts';
import { primary, printInstruction, sweep } from './ir/print.ts';
import type { MemoryModel, Value, Width } from './ir/value.ts';
import { MODE } from './mode.ts';
import { type Member, planChecks, type TreeOps } from './regionChecks.ts';
import type { Block, Placing, RegionRequest, Step, Tree } from './regionGraph.ts';
import {
  COPY,
  chooseEntries,
  discover,
  doesSomething,
  eipText,
  formBlocks,
  longest,
  REPEATED,
  regionOps,
  sizeFrom,
  targetOf,
  treeOf,
} from './regionGraph.ts';
import { CS, DS, ES, S, SS } from './state.ts';

export interface Region {
  /**
   * Body of a factory of (E, P, M, C, X): engine scope, the page's entry words, this region's number << 8, the sites' records,
   * and what runs one: (records, index, code epoch) -> whether the region goes on after it.
   */
  readonly source: string;
  /** Entry offsets in the order of their numbers; -1 where nothing but a leave stands. */
  readonly entries: readonly number[];
  /** Offsets of the instructions in it. */
  readonly offsets: ReadonlySet<number>;
  readonly blocks: number;
  /** Instructions that the interpreter does for the region: their records stand SITE_WORDS apart in C. */
  readonly sites: readonly Instruction[];
}
/** What a region returns when a check of several accesses failed although the access itself would have passed. */
export const SEPARATE = 2;
/** Words of a site's records: address, instruction, end. */
export const SITE_WORDS = 3 * RECORD.WORDS;
/** Ticks of one entry at most: V8 keeps a function that never returns in on-stack-replacement code, 2.5 times slower. */
const MAX_TICKS = 500_000;
/** ES of the x87's status word: an exception waits. */
const ERROR_SUMMARY = 0x80;
const REGISTERS = ['eax', 'ecx', 'edx', 'ebx', 'esp', 'ebp', 'esi', 'edi'] as const;
const FLAT_BIT: { readonly [segment: number]: number } = { [ES]: MODE.FLAT_ES, [CS]: MODE.FLAT_CS, [SS]: MODE.FLAT_SS, [DS]: MODE.FLAT_DS };
/** Translates from `entry`; undefined when its first instruction cannot be translated. */
export function translateRegion(q: RegionRequest): Region | undefined {
  const model: MemoryModel = {
    flat: (segment) => typeof segment === 'number' && (q.mode & (FLAT_BIT[segment] ?? 0)) !== 0,
    stackMask: (q.mode & MODE.STACK32) !== 0 ? -1 : 0xffff,
  };
  const code32 = (q.mode & MODE.CODE32) !== 0;
  const { steps, roots } = discover(q, model, code32);
  const first = steps.get(q.entry);
  if (!first || (first.leaves && !first.resumes)) return undefined;
  const blocks = formBlocks(steps, q.entry, roots);
  const entries = chooseEntries(blocks, q.entry, roots);
  return emit(q, blocks, entries, model);
}
function emit(q: RegionRequest, blocks: Map<number, Block>, entryList: number[], model: MemoryModel): Region {
  const entries = new Set(entryList),
    numberOf = new Map(entryList.map((at, n) => [at, n]));
  const used = new Set<number>(),
    segments = new Set<number>();
  const part = (q.mode & MODE.USER) !== 0 ? 'User' : (q.mode & MODE.OPEN) !== 0 ? 'Open' : '',
    tr = `tr${part}`,
    tw = `tw${part}`;
  const sites: Instruction[] = [];
  // A rotation keeps four flags of an earlier setter: its own two stand beside the three words until somebody looks.
  const rotates = [...blocks.values()].some((b) => b.steps.some((s) => s.ops.some((v) => v.op === 'flagsRotate')));
  // Whether a string instruction goes on changes with each of its iterations: it has a variable.
  let repeats = false;
  let temps = 0;
  let leave = '';
  let members: ReadonlyMap<Value, Member> = new Map();
  const checks = new Set<string>();

  /** Statements that make sure of an access, by itself or with the others of its group, and the name of its TLB entry. */
  function checked(v: Value, table: string, entry: string, a: string): { before: string; entry: string } {
    const alone = `${entry}=${table}[${a}>>>12];`,
      member = members.get(v);
    if (!member) return { before: `${alone}if(!(${hit(entry, a, v.w)}))${leave}`, entry };
    const { group, distance, first } = member;
    if (!first) return { before: '', entry: group.entry };
    checks.add(group.entry);
    const below = distance - group.least,
      least = below === 0 && /^\w+$/.test(a) ? a : 'h';
    const compute = least === a ? '' : `h=${a}-${below}|0;`;
    // Only where the access by itself would have passed is it the group's fault.
    const apart = `{e=${table}[${a}>>>12];if(${hit('e', a, v.w)})q=${SEPARATE};${leave.slice(1)}`;
    const entryOf = `${group.entry}=${group.write ? tw : tr}[${least}>>>12];`;
    return { before: `${compute}${entryOf}if(!(${reaches(group.entry, least, group.end - group.least)}))${apart}`, entry: group.entry };
  }

  const register = (n: number): string => {
    used.add(n);
    return REGISTERS[n]!;
  };
  const target = (edge: (to: number) => string): Target => ({
    flags: { kind: 'fo', a: 'fa', b: 'fb' },
    flagsRotate: (rotation, result) => `ro=${rotation};ra=${result};`,
    settleFlags: () => (rotates ? SETTLE_ROTATION : ''),
    afterFlags: rotates ? 'ro=0;' : '',
    gpr: (n, w) => readNarrow(register, n as number, w),
    setGpr: (n, w, value) => writeNarrow(register, n as number, w, value),
    state: (word) => `r[${word}]`,
    setState(word, value) {
      if (word !== S.REPEATING) return `r[${word}]=${value};`;
      repeats = true;
      return `rs=${value};`;
    },
    next: () => eipText(current.i.at + current.i.length),
    self: () => eipText(current.i.at),
    offset: () => {
      throw new Error('a region knows its addresses');
    },
    place(segment, offset, w, write, held) {
      // Code can be read through a flat CS, never written.
      if (model.flat(segment) && !(write && segment === CS))
        return /^[\w$]+$/.test(offset) ? { before: '', linear: offset } : { before: `${held}=${offset};`, linear: held };
      const n = segment as number;
      segments.add(n);
      return {
        before: `${held}=${offset};if((${held}>>>0)+${w >> 3}>${write ? 'sw' : 'se'}${n})${leave}${held}=${held}+sb${n}|0;`,
        linear: held,
      };
    },
    load(v, into, a) {
      const { before, entry } = checked(v, tr, 'e', a);
      return `${before}${into}=${loadText(entry, a, v.w)};`;
    },
    modify(v, into, e, a) {
      const { before, entry } = checked(v, tw, e, a);
      return `${before}${into}=${loadText(entry, a, v.w)};`;
    },
    store(v, a, value) {
      const { before, entry } = checked(v, tw, 'e', a);
      return `${before}${storeText(entry, a, value, v.w)};`;
    },
    storeModified: (v, e, a, value) => `${storeText(members.get(v)?.group.entry ?? e, a, value, v.w)};`,
    probe: (v, a) => checked(v, tw, 'e', a).before,
    // At once where nothing waits and the common form does it: each place calls one function, which V8 may take in.
    attempt(opcode, offset, seg) {
      const eip = eipText(current.i.at),
        n = Number(opcode),
        form = x87Form(n),
        inRegisters = form < X87_MEMORY;
      const leaves = inRegisters ? `xl(${n},${eip})` : `xm(${n},${eip},${offset},${seg})`;
      return `if(!((r[${S.CR0}]&${EM | TS}|r[${S.FPU_STATUS}]&${ERROR_SUMMARY})===0&&xf[${form}](${inRegisters ? n & 7 : offset})?${leaves}:x87(${n},${offset},${eip},${seg})))${leave}`;
    },
    loadWords: (word, a, words) => `e=${tr}[${a}>>>12];if(!(${hit('e', a, 32 * words)}))${leave}${loadWordsText(word, 'e', a, words)}`,
    storeWords: (word, a, words) => `e=${tw}[${a}>>>12];if(!(${hit('e', a, 32 * words)}))${leave}${storeWordsText(word, 'e', a, words)}`,
    // What the longest way still needs is kept: the blocks that follow pay without a look.
    elements: (v, into, ...args) => `${elementsText(v, into, args, `n-${need}`)}n=n-${into}|0;`,
    call: (name) => {
      throw new Error(`a region cannot call ${name}`);
    },
    raise: () => {
      throw new Error('a region cannot fault');
    },
    raiseIf: (c) => `if(${c})${leave}`,
    jump(to) {
      const offset = targetOf(to);
      return offset !== undefined && current.targets.includes(offset) ? edge(offset) : transfer(to);
    },
    branch(c, to) {
      const offset = targetOf(to);
      return `if(${c}){${offset !== undefined && current.targets.includes(offset) ? edge(offset) : transfer(to)}}`;
    },
  });
  let current: Step,
    need = 0;
  /** To an EIP that is not known: another entry of this function, or out. */
  const transfer = (to: string): string =>
    `x=${to};e=x-base|0;if((e&-4096)===0){e=P[e];if((e&65280)===M){k=e&255;continue L;}}q=0;break L;`;
  const leaveAt = (offset: number, refund: number): string => `{x=${eipText(offset)};${refund > 0 ? `n=n+${refund}|0;` : ''}break L;}`;

  const small = new Set(entryList.filter((at) => sizeFrom(at, blocks, entries) <= REPEATED));
  const bodies = entryList.map((root, number) => {
    const place: Placing = (from, to) => {
      if (!entries.has(to)) return from - (from % COPY) + to;
      return from < COPY && to !== root && small.has(to) ? to + COPY : undefined;
    };
    const tree = treeOf(root, blocks, place),
      ops = new Map(tree.order.map((id) => [id, blocks.get(id % COPY)!.steps.map((step) => regionOps(step.i, model))]));
    if (!q.separate) members = planChecks(tree, ops, model);
    const swept = sweepTree(tree, ops, blocks, (v) => members.get(v)?.first === false);
    let loops = false;
    const edge = (from: number, to: number, kind: number | undefined): string => {
      if (to === root) {
        loops = true;
        return `continue E${number};`;
      }
      if (!blocks.has(to)) return `x=${eipText(to)};q=0;break L;`;
      const id = place(from, to);
      if (id === undefined) return `k=${numberOf.get(to)};continue L;`;
      return tree.merges.has(id) ? `break B${id};` : within(id, kind);
    };
    /** A block, then the merge points that it dominates, last in order outermost. */
    const within = (at: number, kind: number | undefined): string => {
      const merges = (tree.children.get(at) ?? [])
        .filter((c) => tree.merges.has(c))
        .sort((a, b) => tree.order.indexOf(a) - tree.order.indexOf(b));
      let text = block(at, kind);
      for (const m of merges) text = `B${m}:{${text}}\n${within(m, undefined)}`;
      return text;
    };
    const block = (id: number, kindBefore: number | undefined): string => {
      const at = id % COPY,
        b = blocks.get(at)!,
        out: string[] = [];
      if (b.ticks > 0) out.push(`n=n-${b.ticks}|0;`);
      const left = swept.get(id)!;
      let kind = kindBefore,
        ended = false;
      b.steps.forEach((step, n) => {
        current = step;
        leave = leaveAt(step.i.at, b.ticks - n);
        if (q.comment) out.push(`\n// ${q.comment(step.i)}\n`);
        const kindAtEdge = left[n]!.some((v) => v.op === 'flags' || v.op === 'flagsRotate') ? undefined : kind;
        const printed = printInstruction(
          left[n]!,
          target((to) => edge(id, to, kindAtEdge)),
          kind,
        );
        out.push(printed.text, '\n');
        temps = Math.max(temps, printed.temps);
        ({ kind, ended } = printed);
      });
      if (!ended) {
        const after = b.resumes && blocks.has(b.resumes.at) && b.resumes.at !== b.at ? undefined : b.resumes;
        if (after && entries.has(after.at + after.length)) {
          out.push(`x=${eipText(after.at)};y=${sites.length * SITE_WORDS};k=${numberOf.get(after.at + after.length)};break L;`);
          sites.push(after);
          return out.join('');
        }
        // Where the last instruction leaves, only the interpreter goes on; elsewhere the dispatcher may know a region.
        out.push(
          b.fall !== undefined && ((blocks.has(b.fall) && b.fall !== b.at) || (entries.has(b.fall) && b.steps.length > 0))
            ? edge(id, b.fall, kind)
            : `x=${eipText(b.fall ?? at)};${b.leaves ? '' : 'q=0;'}break L;`,
        );
      }
      return out.join('');
    };
    need = longest(root, tree, blocks, place);
    const body = within(root, undefined);
    const test = `if(n<${need}){x=${eipText(root)};break L;}`;
    return `case ${number}:${loops ? `E${number}:for(;;){${test}\n${body}}` : `${test}\n${body}`}\n`;
  });

  const kept = [...used].sort().map((n) => [REGISTERS[n]!, `r[${n}]`] as const);
  const flagPlaces = [
    ['fo', `r[${S.FLAGS_KIND}]`],
    ['fa', `r[${S.FLAGS_A}]`],
    ['fb', `r[${S.FLAGS_B}]`],
  ] as const;
  const places = [...kept, ...flagPlaces, ...(repeats ? [['rs', `r[${S.REPEATING}]`] as const] : [])];
  const segmentPlaces = [...segments].sort().flatMap(
    (n) =>
      [
        [`sb${n}`, `r[${S.SEG_BASE + n}]`],
        [`se${n}`, `ends[${n}]`],
        [`sw${n}`, `ends[${n + 8}]`],
      ] as const,
  );
  const fetched = [
    ...places,
    ...segmentPlaces,
    ['m', sites.length === 0 ? `r[${S.BUDGET}]>${MAX_TICKS}?${MAX_TICKS}:r[${S.BUDGET}]` : `r[${S.BUDGET}]>w?w:r[${S.BUDGET}]`],
    ['n', 'm'],
  ] as const;
  const load = fetched.map(([name, place]) => `${name}=${place}`);
  const settle = rotates ? SETTLE_ROTATION : '';
  const spill = `${settle}${places.map(([name, place]) => `${place}=${name};`).join('')}r[${S.BUDGET}]=r[${S.BUDGET}]-m+n;r[${S.EIP}]=x;`;
  const locals = [
    ...load,
    ...(rotates ? ['ro=0', 'ra=0'] : []),
    'e=0',
    'x=0',
    'q=1',
    ...(checks.size > 0 ? ['h=0', ...[...checks].map((name) => `${name}=0`)] : []),
    ...Array.from({ length: temps }, (_, n) => `t${n}=0`),
  ];
  // A page that begins before its segment: offsets below would be EIPs that 16 bits truncate otherwise.
  const guard = model.flat(CS) ? '' : 'if(base<0)return 1;';
  const body = `L:for(;;){switch(k){\n${inOrder(bodies)}default:throw new Error('no such entry');}}\n${spill}`;
  const source =
    sites.length === 0
      ? `${ENGINE_HEADER}return (function(k,base){${guard}\nlet ${locals.join(',')};\n${body}return q;})`
      : `${ENGINE_HEADER}return (function(k,base){${guard}\nlet w=${MAX_TICKS},${locals.join(',')},y=-1,g=r[${S.CODE_EPOCH}];\nfor(;;){\n${body}if(y<0)return q;w=w-m+n|0;if(!X(C,y,g)||w<=0)return 0;y=-1;${load.join(';')};}})`;
  const offsets = new Set<number>();
  for (const b of blocks.values()) for (const s of b.steps) offsets.add(s.i.at);
  for (const site of sites) offsets.add(site.at);
  return { source, entries: entryList.map((at) => (doesSomething(blocks.get(at)!) ? at : -1)), offsets, blocks: blocks.size, sites };
}

/**
 * What is left of the micro-ops of a tree's blocks, by node and instruction, without flags that nobody reads. They are read
 * where the region may be left; `passes` says which accesses cannot.
 */
function sweepTree(tree: Tree, ops: TreeOps, blocks: ReadonlyMap<number, Block>, passes: (v: Value) => boolean): Map<number, Value[][]> {
  const swept = new Map<number, Value[][]>(),
    liveBefore = new Map<number, boolean>();
  for (const id of [...tree.order].reverse()) {
    const b = blocks.get(id % COPY)!,
      steps = ops.get(id)!,
      followers = tree.followers.get(id)!;
    const jumps = steps.at(-1)?.filter((v) => v.op === 'jump' || v.op === 'branch').length ?? 0;
    const ways = jumps + (b.fall === undefined ? 0 : 1);
    let live = b.leaves || followers.length < ways || followers.some((to) => liveBefore.get(to)!);
    const quiet = live ? passes : (v: Value): boolean => passes(v) || v.op === 'jump' || v.op === 'branch';
    const left: Value[][] = [];
    for (let n = steps.length - 1; n >= 0; n--) {
      const result = sweep(steps[n]!, live, quiet);
      left[n] = result.ops;
      live = result.flagsLive;
    }
    swept.set(id, left);
    liveBefore.set(id, live);
  }
  return swept;
}

const LAST_JUMP = /k=(\d+);continue L;\s*$/;
/** The switch's cases, ordered so that one which ends by going to another is followed by that one and need not jump. */
function inOrder(bodies: readonly string[]): string {
  const next = bodies.map((text) => {
    const found = LAST_JUMP.exec(text);
    return found ? Number(found[1]) : undefined;
  });
  const followed = new Set(next),
    placed = new Set<number>(),
    out: string[] = [];
  for (const head of [...bodies.keys()].sort((a, b) => Number(followed.has(a)) - Number(followed.has(b)))) {
    for (let at: number | undefined = head; at !== undefined && !placed.has(at); at = next[at]) {
      placed.add(at);
      const to = next[at];
      out.push(to === undefined || placed.has(to) ? bodies[at]! : bodies[at]!.replace(LAST_JUMP, '\n'));
    }
  }
  return out.join('');
}

/** Puts a rotation's flags into the three words. */
const SETTLE_ROTATION = `if(ro!==0){fb=flagsRotated(ro,ra,fo,fa,fb);fa=0;fo=${FLAGS.ALL};ro=0;}`;
function readNarrow(register: (n: number) => string, n: number, w: Width): string {
  if (w === 32) return register(n);
  if (w === 16) return `${register(n)}&65535`;
  return n < 4 ? `${register(n)}&255` : `${register(n - 4)}>>8&255`;
}
function writeNarrow(register: (n: number) => string, n: number, w: Width, value: string): string {
  if (w === 32) return `${register(n)}=${value};`;
  const text = primary(value);
  if (w === 16) return `${register(n)}=${register(n)}&-65536|${text};`;
  if (n < 4) return `${register(n)}=${register(n)}&-256|${text};`;
  return `${register(n - 4)}=${register(n - 4)}&-65281|${text}<<8;`;
}
