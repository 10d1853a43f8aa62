// The JavaScript that the translator prints, read as a syntax tree: every handler of the interpreter and regions of random
// programs and of the examples. Nothing but a short list of names, properties and statements may occur in it, every way round
// a loop pays, and what is kept in a local is an int32. What is on no list here is an error.

import assert from 'node:assert/strict';
import * as acorn from 'acorn';
import { CALLS } from '../../src/translator/calls.ts';
import { ENGINE_HEADER, ENGINE_NAMES, FORMS, handlerSource, RECORD, writeRecords } from '../../src/translator/forms.ts';
import { ROWS } from '../../src/translator/instructions/index.ts';
import { MODE } from '../../src/translator/mode.ts';
import { translateRegion } from '../../src/translator/region.ts';
import { encodeRow } from '../support/encode.ts';
import { seeded } from '../support/random.ts';
import { run } from '../support/tour.ts';

type Node = acorn.AnyNode;

/** Engine members that are arrays: they may be indexed, and those of the second list assigned to. */
const ARRAYS: ReadonlySet<string> = new Set(['r', 'r8', 'r16', 'u8', 'tr', 'tw', 'trUser', 'twUser', 'trOpen', 'twOpen', 'ends', 'c', 'P']);
const WRITABLE: ReadonlySet<string> = new Set(['r', 'r8', 'r16', 'u8']);
const INT_ARRAYS: ReadonlySet<string> = new Set(['r', 'r8', 'r16', 'u8', 'tr', 'tw', 'trUser', 'twUser', 'trOpen', 'twOpen', 'c', 'P']);
/** What a region's factory gets besides the engine. */
const REGION_NAMES = ['P', 'M', 'C', 'X'] as const;
/** Functions, with what they give. */
const FUNCTIONS: Readonly<Record<string, 'int' | 'bool' | 'nothing'>> = {
  ...Object.fromEntries(
    ['R8', 'R16', 'R32', 'M8', 'M16', 'M32', 'LR', 'LW', 'flagsOf', 'flagsRotated'].map((name) => [name, 'int' as const]),
  ),
  ...Object.fromEntries(
    ['mulHighU', 'mulHighS', 'divQuotient', 'divRemainder', 'idivQuotient', 'idivRemainder', 'countTrailingZeros'].map((name) => [
      name,
      'int' as const,
    ]),
  ),
  ...Object.fromEntries(['condition', 'divOverflows', 'idivOverflows', 'x87', 'xl', 'xm', 'X'].map((name) => [name, 'bool' as const])),
  ...Object.fromEntries(['W8', 'W16', 'W32', 'RV', 'WV', 'fault'].map((name) => [name, 'nothing' as const])),
};
const METHODS: Readonly<Record<string, Readonly<Record<string, 'int' | 'nothing'>>>> = {
  Math: { imul: 'int', clz32: 'int' },
  dv: { getUint16: 'int', getInt32: 'int', setInt16: 'nothing', setInt32: 'nothing' },
  el: Object.fromEntries(
    ['copy', 'fill', 'compareEqual', 'compareUnequal', 'scanEqual', 'scanUnequal'].map((name) => [name, 'int' as const]),
  ),
  sys: Object.fromEntries(Object.keys(CALLS).map((name) => [name, 'int' as const])),
};
const STATEMENTS: ReadonlySet<string> = new Set([
  'BlockStatement',
  'BreakStatement',
  'ContinueStatement',
  'EmptyStatement',
  'ExpressionStatement',
  'ForStatement',
  'IfStatement',
  'LabeledStatement',
  'ReturnStatement',
  'SwitchCase',
  'SwitchStatement',
  'ThrowStatement',
  'VariableDeclaration',
  'VariableDeclarator',
]);

function children(node: Node): Node[] {
  const found: Node[] = [];
  for (const value of Object.values(node) as unknown[])
    for (const one of Array.isArray(value) ? value : [value]) if (typeof (one as Node)?.type === 'string') found.push(one as Node);
  return found;
}

/** Checks one function's text; `factory` names what it may use besides the engine's members. */
class Checker {
  readonly #text: string;
  readonly #declared: ReadonlySet<string>;
  readonly #known: ReadonlySet<string>;
  /** Assignments of each local in the order of the text: the latest before a place is what it holds there. */
  readonly #assignments = new Map<string, { at: number; value: acorn.Expression | null }[]>();

  constructor(text: string, factory: readonly string[]) {
    this.#text = text;
    const program = acorn.parse(text, { ecmaVersion: 2022, allowReturnOutsideFunction: true });
    const functions = find(program, 'FunctionExpression') as acorn.FunctionExpression[];
    assert.equal(functions.length, 1, 'one function');
    const [fn] = functions as [acorn.FunctionExpression];
    const parameters = fn.params.map((p) => (p as acorn.Identifier).name),
      locals = (find(fn, 'VariableDeclarator') as acorn.VariableDeclarator[]).map((d) => (d.id as acorn.Identifier).name);
    this.#declared = new Set([...parameters, ...locals]);
    for (const d of find(fn, 'VariableDeclarator') as acorn.VariableDeclarator[])
      this.#assigns(d, (d.id as acorn.Identifier).name, d.init ?? null);
    for (const a of find(fn, 'AssignmentExpression') as acorn.AssignmentExpression[])
      if (a.left.type === 'Identifier') this.#assigns(a, a.left.name, a.right);
    for (const list of this.#assignments.values()) list.sort((a, b) => a.at - b.at);
    for (const name of [...ENGINE_NAMES, ...factory, 'E', 'Math', 'Error'])
      assert.ok(!this.#declared.has(name), `${name} is hidden by a local`);
    this.#known = new Set([...ENGINE_NAMES, ...factory, ...this.#declared]);
    this.#check(fn.body);
    if (find(fn, 'ForStatement').length > 0) payments(mainLoop(fn.body.body, text));
  }
  #assigns(node: Node, name: string, value: acorn.Expression | null): void {
    const list = this.#assignments.get(name);
    if (list) list.push({ at: node.end, value });
    else this.#assignments.set(name, [{ at: node.end, value }]);
  }
  #fail(node: Node, what: string): never {
    assert.fail(`${what}: ${this.#text.slice(node.start, Math.min(node.end, node.start + 120))}`);
  }

  #check(node: Node): void {
    switch (node.type) {
      case 'Identifier':
        if (!this.#known.has(node.name)) this.#fail(node, 'a name that was not handed in');
        return;
      case 'Literal':
        if (typeof node.value !== 'number' && node.value !== true) this.#fail(node, 'a literal that is no number');
        return;
      case 'MemberExpression':
        if (!node.computed || node.object.type !== 'Identifier' || !ARRAYS.has(node.object.name))
          this.#fail(node, 'a property that is on no list');
        return this.#check(node.property);
      case 'CallExpression': {
        if (this.#resultOf(node) === undefined) this.#fail(node, 'a call that is on no list');
        for (const argument of node.arguments) this.#check(argument);
        return;
      }
      case 'AssignmentExpression': {
        const { left, right } = node;
        if (node.operator !== '=') this.#fail(node, 'an operator that is not printed');
        if (
          left.type === 'Identifier'
            ? !this.#declared.has(left.name)
            : left.type !== 'MemberExpression' || !WRITABLE.has((left.object as acorn.Identifier).name)
        )
          this.#fail(node, 'an assignment to something that is no local and no guest state');
        this.#check(left);
        this.#check(right);
        // Temporaries may hold conditions; the ends of segments reach 2 to the power of 32.
        if (left.type !== 'Identifier' || /^s[ew]\d$/.test(left.name) || (/^t\d+$/.test(left.name) && this.#isBoolean(right))) return;
        if (!this.#isInt(right)) this.#fail(node, 'a local that is no int32');
        return;
      }
      case 'BinaryExpression':
        if (!/^(?:[-+&|^]|<<|>>>?|[<>]=?|[!=]==)$/.test(node.operator)) this.#fail(node, 'an operator that is not printed');
        break;
      case 'LogicalExpression':
        if (node.operator === '??') this.#fail(node, 'an operator that is not printed');
        break;
      case 'UnaryExpression':
        if (!/^[-!]$/.test(node.operator)) this.#fail(node, 'an operator that is not printed');
        break;
      case 'ConditionalExpression':
      case 'SequenceExpression':
        break;
      case 'ThrowStatement':
        if (this.#text.slice(node.start, node.end) !== "throw new Error('no such entry');") this.#fail(node, 'a throw that is not printed');
        return;
      case 'LabeledStatement':
        return this.#check(node.body);
      case 'BreakStatement':
      case 'ContinueStatement':
        return;
      case 'ForStatement':
        if (node.init || node.test || node.update) this.#fail(node, 'a loop that is not for(;;)');
        break;
      default:
        if (!STATEMENTS.has(node.type)) this.#fail(node, `a ${node.type}`);
    }
    for (const child of children(node)) this.#check(child);
  }

  #resultOf(node: acorn.CallExpression): 'int' | 'bool' | 'nothing' | undefined {
    const { callee } = node;
    // A vector function by its number, on the views of the state block.
    if (callee.type === 'MemberExpression' && callee.computed && callee.object.type === 'Identifier' && callee.object.name === 'vf') {
      const [views] = node.arguments;
      const numbered = callee.property.type === 'Literal' && typeof callee.property.value === 'number';
      return numbered && views?.type === 'Identifier' && views.name === 'vs' ? 'int' : undefined;
    }
    // An x87 form by its number, on a register's number or an address.
    if (callee.type === 'MemberExpression' && callee.computed && callee.object.type === 'Identifier' && callee.object.name === 'xf') {
      const numbered = callee.property.type === 'Literal' && typeof callee.property.value === 'number' && callee.property.value < 576;
      return numbered && node.arguments.length === 1 ? 'bool' : undefined;
    }
    if (callee.type === 'Identifier')
      return Object.hasOwn(FUNCTIONS, callee.name) && this.#known.has(callee.name) && !this.#declared.has(callee.name)
        ? FUNCTIONS[callee.name]
        : undefined;
    if (
      callee.type !== 'MemberExpression' ||
      callee.computed ||
      callee.object.type !== 'Identifier' ||
      callee.property.type !== 'Identifier'
    )
      return undefined;
    const methods = Object.hasOwn(METHODS, callee.object.name) ? METHODS[callee.object.name]! : {};
    return Object.hasOwn(methods, callee.property.name) ? methods[callee.property.name] : undefined;
  }

  #isBoolean(node: acorn.Expression): boolean {
    if (node.type === 'BinaryExpression') return /^(?:[<>]=?|[!=]==)$/.test(node.operator);
    if (node.type === 'LogicalExpression') return this.#isBoolean(node.left) && this.#isBoolean(node.right);
    if (node.type === 'UnaryExpression') return node.operator === '!';
    if (node.type === 'ConditionalExpression') return this.#isBoolean(node.consequent) && this.#isBoolean(node.alternate);
    if (node.type === 'CallExpression') return this.#resultOf(node) === 'bool';
    if (node.type === 'Identifier') {
      const held = this.#heldAt(node);
      return held !== undefined && this.#isBoolean(held);
    }
    return false;
  }
  /** Whether the value is an int32 whatever its operands are, or a local that has been given one. */
  #isInt(node: acorn.Expression | acorn.PrivateIdentifier | acorn.SpreadElement): boolean {
    switch (node.type) {
      case 'Literal':
        return typeof node.value === 'number' && (node.value | 0) === node.value;
      case 'UnaryExpression':
        return node.operator === '-' && this.#isInt(node.argument);
      case 'BinaryExpression':
        return /^(?:[&|^]|<<|>>)$/.test(node.operator);
      case 'ConditionalExpression':
        return this.#isInt(node.consequent) && this.#isInt(node.alternate);
      case 'CallExpression':
        return this.#resultOf(node) === 'int';
      case 'MemberExpression':
        return INT_ARRAYS.has((node.object as acorn.Identifier).name);
      case 'Identifier':
        if (/^t\d+$/.test(node.name)) {
          const held = this.#heldAt(node);
          return held !== undefined && this.#isInt(held);
        }
        // Every other local is checked wherever it is assigned; k, base and p are int32 by their callers, M is a constant.
        return (this.#declared.has(node.name) && !/^s[ew]\d$/.test(node.name)) || node.name === 'M';
      default:
        return false;
    }
  }
  #heldAt(node: acorn.Identifier): acorn.Expression | undefined {
    const list = this.#assignments.get(node.name) ?? [];
    let low = 0;
    for (let high = list.length; low < high; ) {
      const middle = (low + high) >> 1;
      if (list[middle]!.at <= node.start) low = middle + 1;
      else high = middle;
    }
    return list[low - 1]?.value ?? undefined;
  }
}

function find(node: Node, type: Node['type'], found: Node[] = []): Node[] {
  if (node.type === type) found.push(node);
  for (const child of children(node)) find(child, type, found);
  return found;
}

/**
 * The loop named L. A region with sites stands in another loop: round that it goes only after the interpreter has done an
 * instruction, which pays for itself.
 */
function mainLoop(statements: readonly acorn.Statement[], text: string): acorn.LabeledStatement {
  for (const statement of statements) {
    if (statement.type === 'LabeledStatement') return statement;
    if (statement.type !== 'ForStatement' || statement.body.type !== 'BlockStatement') continue;
    const inner = statement.body.body.map((s) => text.slice(s.start, s.end));
    assert.deepEqual(
      inner.filter((s) => s.startsWith('if(') && !s.startsWith('if(ro!==0)')),
      ['if(y<0)return q;', 'if(!X(C,y,g)||w<=0)return 0;'],
    );
    return mainLoop(statement.body.body, text);
  }
  return assert.fail('there is no main loop');
}

/** Least and most ticks paid since the last test of the budget, and what that test asked for. */
interface Paid {
  readonly low: number;
  readonly high: number;
  readonly tested: number;
}
const either = (a: Paid | null, b: Paid | null): Paid | null =>
  a && b ? { low: Math.min(a.low, b.low), high: Math.max(a.high, b.high), tested: Math.min(a.tested, b.tested) } : (a ?? b);

/**
 * Follows every way through a region's main loop: what is paid was tested for, and a way that goes round has paid. `break L`
 * ends the region; only on the way there may a payment be given back.
 */
function payments(main: acorn.LabeledStatement): void {
  assert.equal(main.label.name, 'L');
  const breaks = new Map<string, Paid | null>();
  const number = (node: Node): number => (assert.equal(node.type, 'Literal'), (node as acorn.Literal).value as number);
  /** `n=n-3|0` gives 3, `n=n+3|0` -3, anything else 0. */
  const payment = (node: Node): number => {
    if (node.type !== 'ExpressionStatement' || node.expression.type !== 'AssignmentExpression') return 0;
    const { left, right } = node.expression;
    if (left.type !== 'Identifier' || left.name !== 'n') return 0;
    assert.ok(
      right.type === 'BinaryExpression' &&
        right.operator === '|' &&
        right.left.type === 'BinaryExpression' &&
        (right.left.left as acorn.Identifier).name === 'n',
    );
    assert.match(right.left.operator, /^[-+]$/);
    return number(right.left.right) * (right.left.operator === '-' ? 1 : -1);
  };
  const follow = (list: readonly acorn.Statement[], start: Paid | null): Paid | null => {
    let now = start;
    for (const [n, statement] of list.entries()) {
      if (now === null) return null;
      const leavesNext = list.slice(n + 1).some((s) => s.type === 'BreakStatement' && s.label?.name === 'L');
      const paid = payment(statement);
      if (paid < 0) assert.ok(leavesNext && now.low + paid >= 0, 'what is given back was paid, and the region leaves');
      else if (paid > 0) {
        now = { ...now, low: now.low + paid, high: now.high + paid };
        assert.ok(now.high <= now.tested, `${now.high} ticks are paid after a test for ${now.tested}`);
      } else now = step(statement, now);
    }
    return now;
  };
  const body = (statement: acorn.Statement): readonly acorn.Statement[] =>
    statement.type === 'BlockStatement' ? statement.body : [statement];
  const step = (statement: acorn.Statement, now: Paid): Paid | null => {
    switch (statement.type) {
      case 'IfStatement': {
        const { test } = statement;
        if (test.type === 'BinaryExpression' && test.operator === '<' && test.left.type === 'Identifier' && test.left.name === 'n') {
          assert.equal(follow(body(statement.consequent), now), null, 'who cannot pay leaves');
          return { low: 0, high: 0, tested: number(test.right) };
        }
        return either(follow(body(statement.consequent), now), statement.alternate ? follow(body(statement.alternate), now) : now);
      }
      case 'BlockStatement':
        return follow(statement.body, now);
      case 'LabeledStatement': {
        const { name } = statement.label;
        if (statement.body.type === 'ForStatement') {
          assert.match(name, /^E\d+$/);
          const [first] = body(statement.body.body);
          assert.ok(
            first?.type === 'IfStatement' && (first.test as acorn.BinaryExpression).operator === '<',
            'a loop begins with a test of the budget',
          );
          assert.equal(follow(body(statement.body.body), now), null, 'a loop is left or gone round by name');
          return null;
        }
        breaks.set(name, null);
        const after = follow(body(statement.body), now);
        return either(after, breaks.get(name) ?? null);
      }
      case 'BreakStatement': {
        const name = statement.label!.name;
        if (name !== 'L') breaks.set(name, either(breaks.get(name) ?? null, now));
        return null;
      }
      case 'ContinueStatement':
        assert.ok(now.low >= 1, 'a way goes round without having paid');
        return null;
      case 'ForStatement':
        return assert.fail('a loop without a name');
      default:
        return now;
    }
  };
  const [dispatch, ...rest] = body((main.body as acorn.ForStatement).body);
  assert.ok(dispatch?.type === 'SwitchStatement' && rest.length === 0);
  let fallen: Paid | null = null;
  for (const { test, consequent } of dispatch.cases) {
    if (!test) {
      assert.equal(fallen, null, 'a case falls into the error');
      continue;
    }
    // Whoever falls in from the case before has paid, as one who goes round has, and is tested like one who comes by the switch.
    assert.ok(!fallen || fallen.low >= 1, 'a case is fallen into without having paid');
    fallen = follow(consequent, { low: 0, high: 0, tested: 0 });
  }
}

function checkRegion(source: string): void {
  assert.ok(source.startsWith(ENGINE_HEADER));
  new Checker(source.slice(ENGINE_HEADER.length), REGION_NAMES);
}

const FLAT = MODE.FLAT_CS | MODE.FLAT_DS | MODE.FLAT_ES | MODE.FLAT_SS | MODE.PROTECTED;
const MODES = [
  0,
  MODE.PROTECTED,
  MODE.CODE32 | MODE.STACK32 | MODE.PROTECTED,
  MODE.CODE32 | MODE.STACK32 | FLAT,
  MODE.CODE32 | MODE.STACK32 | FLAT | MODE.USER,
  MODE.CODE32 | FLAT,
];
/** Every form of every row, as far as random operands find it. */
function meetForms(): void {
  const random = seeded(7),
    code = new Int32Array(3 * RECORD.WORDS);
  for (const row of ROWS)
    for (const mode of MODES)
      for (const w of [16, 32] as const)
        for (const address of [16, 32] as const)
          for (const memory of [true, false])
            for (const rep of row.string ? (['none', 'rep', 'repne'] as const) : (['none'] as const)) {
              const encoded =
                row.code === '' ? undefined : encodeRow(row, random, { code32: (mode & MODE.CODE32) !== 0, w, address, memory, rep });
              if (encoded) writeRecords(encoded.instruction, mode, code, 0);
            }
}

describe('emitted JavaScript', function () {
  this.timeout(120_000);

  it('of handlers uses only what it was handed, and has no loop', () => {
    meetForms();
    assert.ok(FORMS.length > 1500, `${FORMS.length} forms`);
    for (const form of FORMS) {
      const source = handlerSource(form);
      new Checker(source, []);
      assert.ok(!/\bfor\b|\bwhile\b/.test(source), source);
    }
  });

  it('of regions of random programs uses only what it was handed, and pays for every loop', () => {
    const random = seeded(11),
      rows = ROWS.filter((row) => row.code !== '');
    let regions = 0;
    for (let n = 0; n < 600; n++) {
      const mode = random.pick(MODES),
        code32 = (mode & MODE.CODE32) !== 0;
      const page = new Uint8Array(4096);
      for (let at = 0; at < 1024; ) {
        // Every fourth instruction branches to one of the neighbouring slots, so that loops, merges and loops in loops occur.
        const bytes =
          random.below(4) === 0
            ? [random.below(6) === 0 ? 0xeb : random.below(6) === 0 ? 0xe2 : 0x70 + random.below(16), (random.below(16) - 10) * 8]
            : (encodeRow(random.pick(rows), random, { code32 })?.bytes ?? [0x90]);
        page.set(bytes.slice(0, 8), at);
        if (bytes.length > 8) page.fill(0x90, at, at + 8);
        else page.fill(0x90, at + bytes.length, at + 8);
        at += 8;
      }
      const region = translateRegion({
        byte: (offset) => page[offset] ?? 0,
        mode,
        entry: random.below(100) * 8,
        executed: (offset) => offset < 1024 && (offset * 7 + n) % 41 !== 0,
        arrivals: () => [],
        taken: (offset) => (offset + n) % 97 === 0,
        breakpoints: new Set(random.below(3) === 0 ? [random.below(128) * 8] : []),
        separate: random.below(4) === 0,
      });
      if (!region) continue;
      regions++;
      checkRegion(region.source);
    }
    assert.ok(regions > 300, `${regions} regions`);
  });

  it('of every region that the examples make passes the same checks', () => {
    // Each is run for so many ticks; what it has translated then, firmware included, is found by looking at every address.
    for (const [file, ticks] of [
      ['hello.img', 40_000],
      ['count.img', 30_000],
      ['exits.img', 60_000],
      ['kernel/kernel.elf', 100_000],
    ] as const) {
      const guest = run(file, ticks, ({ cpu }) => cpu.ticks >= ticks, undefined, 'translate'),
        sources = new Set<string>();
      for (let at = 0; at < 0x110000; at++) {
        const source = guest.cpu.translation(at);
        if (source !== null) sources.add(source);
      }
      guest.dispose();
      for (const source of sources) checkRegion(source);
      assert.ok(sources.size > 0, file);
    }
  });

  it('is refused when something else is in it', () => {
    const handler = (body: string): Checker => new Checker(`(function x(c,p){let e=0,t0=0;${body}return p+10;})`, []);
    handler('t0=r[1]+r[2]|0;r[3]=t0;');
    for (const bad of [
      'globalThis;',
      'e=window.x;',
      "e=r['constructor'];e=r.constructor;",
      'e=fetch(0);',
      't0=r[1]+r[2];',
      't0=r[1]>>>0;',
      'dv.buffer;',
      'sys.constructor(1);',
      'sys["portOut"](1,2,8);',
      'while(true){}',
      'tr[0]=1;',
      'throw 1;',
      'e=`1`;',
      'e=()=>1;',
      'new Error(1);',
      'R32=e;',
    ])
      assert.throws(() => handler(bad), assert.AssertionError, bad);
    const region = (loop: string): void =>
      checkRegion(
        `${ENGINE_HEADER}return (function(k,base){let eax=r[0],m=r[13],n=m,e=0,x=0,q=1;\nL:for(;;){switch(k){\n${loop}\ndefault:throw new Error('no such entry');}}r[0]=eax;return q;})`,
      );
    region('case 0:E0:for(;;){if(n<2){x=base+1|0;break L;}n=n-2|0;eax=eax+1|0;if(eax!==0){continue E0;}x=base+5|0;q=0;break L;}');
    for (const bad of [
      'case 0:E0:for(;;){if(n<2){x=base+1|0;break L;}eax=eax+1|0;if(eax!==0){continue E0;}x=base+5|0;q=0;break L;}',
      'case 0:E0:for(;;){if(n<1){x=base+1|0;break L;}n=n-2|0;continue E0;}',
      'case 0:for(;;){n=n-1|0;}',
      'case 0:k=0;continue L;',
      'case 0:E0:for(;;){if(n<2){x=base+1|0;break L;}n=n-2|0;n=n+2|0;continue E0;}',
      'case 0:if(n<1){x=1;break L;}n=n-1|0;eax=eax+1;break L;',
    ])
      assert.throws(() => region(bad), assert.AssertionError, bad);
    const sites = (after: string): void =>
      checkRegion(
        `${ENGINE_HEADER}return (function(k,base){let w=500000,m=r[13],n=m,x=0,q=1,y=-1,g=r[90];for(;;){L:for(;;){switch(k){case 0:if(n<1){x=1;break L;}n=n-1|0;y=0;break L;}}${after}}})`,
      );
    sites('if(y<0)return q;w=w-m+n|0;if(!X(C,y,g)||w<=0)return 0;y=-1;m=r[13];n=m;');
    for (const bad of ['if(y<0)return q;', 'y=-1;', 'if(!X(C,y,g)||w<=0)return 0;'])
      assert.throws(() => sites(bad), assert.AssertionError, bad);
  });
});
