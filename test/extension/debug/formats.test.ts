/** How values look: descriptors, access rights, 80-bit numbers, paths, symbols, exit conditions, memory references. */
import assert from 'node:assert/strict';
import { describeAccess, describeDescriptor, describeSelector } from '../../../extension/debug/descriptors.ts';
import { formatNumber } from '../../../extension/debug/evaluation.ts';
import { describeExtended, toExtended } from '../../../extension/debug/extended.ts';
import { Fields } from '../../../extension/debug/fields.ts';
import { fromBase64, parsePlace, toBase64, unreadableFrom } from '../../../extension/debug/memory.ts';
import { beside, normalizePath, withExtension } from '../../../extension/debug/paths.ts';
import { EXCEPTION_FILTERS, readExitFilter, readStops, readVectors } from '../../../extension/debug/stops.ts';
import { SymbolTable } from '../../../extension/debug/symbolTable.ts';
import { REGISTER_PARTS, withPart } from '../../../extension/debug/target.ts';
import { formatRegister } from '../../../extension/debug/variables.ts';
import { REGISTERS, VECTOR } from '../../../src/translator/state.ts';

const row = (name: string) => REGISTERS.find((one) => one.name === name) ?? assert.fail(name);

describe('segments in words', () => {
  it('say type, size, privilege and presence', () => {
    assert.equal(describeAccess(0xc09b), 'code 32-bit, execute/read, DPL 0');
    assert.equal(describeAccess(0x0093), 'data 16-bit, read/write, DPL 0');
    assert.equal(describeAccess(0x40f5), 'data 32-bit, read only, expand-down, DPL 3');
    assert.equal(describeAccess(0x001c), 'code 16-bit, execute only, conforming, DPL 0, not present');
    assert.equal(describeAccess(0x008b), '32-bit TSS, busy, DPL 0');
  });
  it('say what a descriptor holds', () => {
    assert.equal(
      describeDescriptor(Uint8Array.of(0xff, 0xff, 0, 0, 0, 0x9a, 0xcf, 0)),
      'base 0x00000000, limit 0xffffffff, code 32-bit, execute/read, DPL 0',
    );
    assert.equal(
      describeDescriptor(Uint8Array.of(0x34, 0x12, 8, 0, 0, 0x8e, 0x78, 0x56)),
      '32-bit interrupt gate, DPL 0, to 0008:56781234',
    );
    assert.equal(describeDescriptor(Uint8Array.of(0, 0, 0x28, 0, 0, 0x85, 0, 0)), 'task gate, DPL 0, to 0028');
    assert.equal(describeDescriptor(new Uint8Array(8)), 'null');
    assert.equal(describeSelector(0x2b), '0x002b (GDT 5, RPL 3)');
  });
});

describe('80-bit values', () => {
  it('are shown as the nearest decimal', () => {
    assert.equal(describeExtended('3fff8000000000000000'), '1');
    assert.equal(describeExtended('c000c90fdaa22168c235'), '-3.141592653589793');
    assert.equal(describeExtended('00000000000000000000'), '0');
    assert.equal(describeExtended('7fff8000000000000000'), 'infinity');
    assert.equal(describeExtended('ffffc000000000000000'), 'NaN');
    assert.equal(describeExtended('7ffe8000000000000000'), '1 * 2^16383');
    assert.equal(describeExtended('xyz'), undefined);
  });
  it('are made from numbers so that they read back', () => {
    for (const value of [0, 1, -1, 1.5, -0.1, 1e300, 5e-324, 123456789])
      assert.equal(Number(describeExtended(toExtended(value))?.replace(/ \* 2\^.*/, '')), value === 5e-324 ? 1 : value, String(value));
    assert.equal(describeExtended(toExtended(Number.NEGATIVE_INFINITY)), '-infinity');
    assert.equal(describeExtended(toExtended(Number.NaN)), 'NaN');
  });
});

describe('values', () => {
  it('of registers have their width and their set bits', () => {
    assert.equal(formatRegister(row('eax'), 0x41), '0x00000041');
    assert.equal(formatRegister(row('cs'), 8), '0x0008');
    assert.equal(formatRegister(row('eflags'), 0x3246), '0x00003246 [IOPL=3 IF ZF PF]');
    assert.equal(formatRegister(row('r0'), '3fff8000000000000000'), '1 (0x3fff8000000000000000)');
  });
  it('of expressions are shown as hexadecimal, unsigned, signed and character', () => {
    assert.equal(formatNumber(0x41, 8), "0x41 (65, 'A')");
    assert.equal(formatNumber(0xfffe, 16), '0xfffe (65534, -2)');
    assert.equal(formatNumber(1, 1), '0x1 (1)');
  });
  it('replace parts of registers', () => {
    const part = (name: string) => REGISTER_PARTS.get(name) ?? assert.fail(name);
    assert.equal(withPart(0x12345678, part('ah'), 0xff), 0x1234ff78);
    assert.equal(withPart(0xffffffff, part('zf'), 0), 0xffffffbf);
    assert.equal(withPart(0, part('iopl'), 3), 0x3000);
    assert.equal(withPart(0x11111111, part('sp'), 0xabcd), 0x1111abcd);
    assert.equal(part('cr0.pe').register, 'cr0');
  });
});

describe('memory references', () => {
  it('are linear or physical addresses, with an offset', () => {
    assert.deepEqual(parsePlace('0x7c00', -0x10), { address: 0x7bf0, physical: false });
    assert.deepEqual(parsePlace('phys:4096', 1), { address: 4097, physical: true });
    assert.deepEqual(parsePlace('0xffffffff', 2), { address: 1, physical: false });
  });
  it('are refused when they are something else', () => {
    for (const text of ['', 'eax', '0x', '-1', '0x100000000', '1e9', 'phys:', '0x7c00 '])
      if (text !== '0x7c00 ') assert.throws(() => parsePlace(text), /memory reference/, text);
  });
  it('carry bytes as base64', () => {
    const bytes = Uint8Array.from({ length: 100_000 }, (_, n) => n * 7);
    assert.deepEqual(fromBase64(toBase64(bytes)), bytes);
    assert.throws(() => fromBase64('!!'), /base64/);
  });
  it('say how far memory cannot be read: to the end of the page', () => {
    assert.equal(unreadableFrom(0x1f00, 0x4000), 0x100);
    assert.equal(unreadableFrom(0x2000, 0x10), 0x10);
  });
});

describe('paths', () => {
  it('of one file are the same in every spelling', () => {
    assert.equal(normalizePath('C:\\work\\a.asm'), normalizePath('file:///c%3A/work/a.asm').replace('/c:', 'c:'));
    assert.equal(normalizePath('/a/./b/../c.asm'), '/a/c.asm');
    assert.equal(normalizePath('file:///a/b%20c.asm'), '/a/b c.asm');
    assert.equal(normalizePath('vscode-test-web://mount/a/../b.asm'), 'vscode-test-web://mount/b.asm');
  });
  it('lead beside another file', () => {
    assert.equal(beside('/a/b.asm', 'inc/c.inc'), '/a/inc/c.inc');
    assert.equal(beside('/a/b.asm', '/c.inc'), '/c.inc');
    assert.equal(withExtension('/a.b/kernel', '.lst'), '/a.b/kernel.lst');
  });
});

describe('symbols', () => {
  const symbols = new SymbolTable();
  symbols.add('start', 0x7c00);
  symbols.add('print', 0x7c20, 0x10);
  symbols.add('alias', 0x7c20);
  it('name addresses at and behind them', () => {
    assert.equal(symbols.describe(0x7c05), 'start+0x5');
    assert.equal(symbols.describe(0x7c20), 'print');
    assert.equal(symbols.describe(0x7c31), undefined);
    assert.equal(symbols.describe(0x7bff), undefined);
  });
  it('go with the expressions that mention them', () =>
    assert.deepEqual(symbols.mentioned(['byte [print+4] == eax', undefined]), { print: 0x7c20 }));
});

describe('stops', () => {
  it('have so few rows that breakpoints are in sight below them', () => {
    assert.deepEqual(
      EXCEPTION_FILTERS.map((one) => [one.filter, one.supportsCondition === true]),
      [
        ['tripleFault', false],
        ['pageFault', false],
        ['exception', true],
        ['exit', true],
      ],
    );
    assert.match(EXCEPTION_FILTERS[2]?.conditionDescription ?? '', /#DE, #DB, NMI, #BP, .*#PF, .*#XM$/);
  });
  it('read conditions of exceptions', () => {
    assert.deepEqual(readVectors('#GP, ud;16'), [13, 6, 16]);
    assert.deepEqual(readVectors(' '), Object.values(VECTOR));
    assert.throws(() => readVectors('#PF #ZZ'), /'#ZZ' is no exception; known are #DE,/);
  });
  it('read conditions of exits', () => {
    assert.deepEqual(readExitFilter(''), {});
    assert.deepEqual(readExitFilter('cpuid, HLT'), { reasons: ['cpuid', 'hlt'] });
    assert.deepEqual(readExitFilter('ioInstruction port 0x3f8-0x3ff; port 60h'), {
      reasons: ['ioInstruction'],
      ports: [
        { first: 0x3f8, last: 0x3ff },
        { first: 0x60, last: 0x60 },
      ],
    });
    assert.throws(() => readExitFilter('sneeze'), /no VM exit/);
    assert.throws(() => readExitFilter('port 0x10000'), /ports are/);
  });
  it('come together from filters and the launch configuration', () => {
    const stops = (request: object, vectors: number[] = [], exits: 'cpuid'[] = []) =>
      readStops(new Fields(request), { vectors, exits }).stopOn;
    assert.deepEqual(stops({ filters: ['pageFault', 'tripleFault'] }, [6], ['cpuid']), {
      vectors: [6, 14],
      exits: { reasons: ['cpuid', 'tripleFault'] },
    });
    assert.deepEqual(stops({ filterOptions: [{ filterId: 'exception', condition: '#GP #UD' }] }, [6]), { vectors: [6, 13], exits: null });
    assert.deepEqual(stops({ filters: ['exception'] }), { vectors: Object.values(VECTOR), exits: null });
    assert.deepEqual(stops({ filterOptions: [{ filterId: 'exit' }] }, [], ['cpuid']), { vectors: [], exits: {} });
    assert.deepEqual(stops({}), { vectors: [], exits: null });
  });
  it('leave out filters that cannot be understood, and say why', () => {
    const { stopOn, breakpoints } = readStops(
      new Fields({
        filters: ['nonsense', 'pageFault'],
        filterOptions: [
          { filterId: 'exit', condition: 'sneeze' },
          { filterId: 'exception', condition: '#ZZ' },
        ],
      }),
      { vectors: [], exits: [] },
    );
    assert.deepEqual(stopOn, { vectors: [14], exits: null });
    assert.deepEqual(
      breakpoints.map((one) => one.verified),
      [false, true, false, false],
    );
    assert.match(breakpoints[2]?.message ?? '', /no VM exit/);
    assert.match(breakpoints[3]?.message ?? '', /no exception/);
  });
});
