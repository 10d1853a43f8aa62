import assert from 'node:assert/strict';
import { type ExpressionContext, ExpressionError, evaluateText } from '../../src/vmm/expression.ts';

const REGISTERS: { [name: string]: number } = {
  eax: 0x12345678,
  ax: 0x5678,
  al: 0x78,
  ebp: 0x100,
  esp: 0xf0,
  bp: 0x100,
  edi: 8,
  di: 8,
  eflags: 2,
  zf: 1,
  es_base: 0xb8000,
  ds_base: 0x10000,
  ss_base: 0x20000,
  cs_base: 0,
  es: 0xb800,
  cr0: 1,
};
/** Every byte holds the low bits of its address; physical memory the complement. */
const context: ExpressionContext = {
  register: (name) => (Object.hasOwn(REGISTERS, name) ? REGISTERS[name] : undefined),
  symbol: (name) =>
    new Map([
      ['main', 0x7c00],
      ['Main', 0x8000],
      ['_start.loop', 5],
    ]).get(name),
  readMemory: (address, length, physical) =>
    Uint8Array.from({ length: address > 0xfffffff0 ? 0 : length }, (_, n) => ((address + n) & 0xff) ^ (physical ? 0xff : 0)),
  defaultSize: 2,
};
const value = (text: string) => evaluateText(text, context).value;

describe('expression', () => {
  const values: [string, number][] = [
    ['1+2*3', 7],
    ['(1+2)*3', 9],
    ['0x10', 16],
    ['10h', 16],
    ['0ffh', 255],
    ['0b101', 5],
    ["'A'", 65],
    ['-1', 0xffffffff],
    ['~0', 0xffffffff],
    ['!5', 0],
    ['!0', 1],
    ['7/2', 3],
    ['7%4', 3],
    ['0xffffffff+1', 0],
    ['0x80000000>>31', 1],
    ['1<<31', 0x80000000],
    ['1<<32', 0],
    ['0xffffffff*2', 0xfffffffe],
    ['5&3|8^1', (5 & 3) | (8 ^ 1)],
    ['1==1', 1],
    ['1!=1', 0],
    ['2<1', 0],
    ['-1>1', 1],
    ['1<=1', 1],
    ['0||2', 1],
    ['1&&0', 0],
    ['0&&(1/0)', 0],
    ['1||(1/0)', 1],
    ['eax', 0x12345678],
    ['EAX', 0x12345678],
    ['al', 0x78],
    ['zf', 1],
    ['main', 0x7c00],
    ['Main', 0x8000],
    ['_start.loop', 5],
    ['main + 2', 0x7c02],
    ['es:di', 0xb8008],
    ['0xb800:0x10', 0xb8010],
    ['phys:0x1234', 0x1234],
    ['ax == 5678h && zf', 1],
  ];
  for (const [text, expected] of values) it(`${text} is ${expected}`, () => assert.equal(value(text), expected));

  const operands: [string, object][] = [
    ['byte [es:di+4]', { value: 0x0c, address: 0xb800c, size: 1 }],
    ['word [bp-2]', { value: 0xfffe, address: 0x200fe, size: 2 }],
    ['dword [ebp-8]', { value: 0xfbfaf9f8, address: 0x200f8, size: 4 }],
    ['dword [edi]', { value: 0x0b0a0908, address: 0x10008, size: 4 }],
    ['dword ptr [edi]', { value: 0x0b0a0908, address: 0x10008, size: 4 }],
    ['[main]', { value: 0x0100, address: 0x7c00, size: 2 }],
    ['byte [main+edi]', { value: 8, address: 0x17c08, size: 1 }],
    ['byte [0x400]', { value: 0, address: 0x400, size: 1 }],
    ['byte [phys:0x401]', { value: 0xfe, address: 0x401, size: 1, physical: true }],
    ['byte [0x40:0x17]', { value: 0x17, address: 0x417, size: 1 }],
  ];
  for (const [text, expected] of operands)
    it(`${text} reads memory and tells where`, () => assert.deepEqual(evaluateText(text, context), expected));
  it('adds to what an operand reads', () => assert.equal(value('byte [0x41] + 1'), 0x42));
  it('reads memory through memory', () => assert.equal(value('byte [byte [0x41]]'), 0x41));

  const errors: [string, RegExp, number][] = [
    ['', /A value is missing/, 0],
    ['1 +', /A value is missing/, 3],
    ['1 2', /'2' is not expected/, 2],
    ['(1', /'\)' is missing/, 2],
    ['[1', /'\]' is missing/, 2],
    ['nowhere + 1', /'nowhere' is no register/, 0],
    ['1/0', /Division by zero/, 1],
    ['0xzz', /'0xzz' is not a number/, 0],
    ['1 # 2', /'#' does not belong/, 2],
    ['constructor [1]', /'\[' is not expected/, 12],
    ['0x100000000', /does not fit in 32 bits/, 0],
    ['byte [0xfffffff8]', /cannot be read/, 0],
    ['constructor', /no register/, 0],
  ];
  for (const [text, message, position] of errors) {
    it(`'${text}' is an error at character ${position + 1}`, () => {
      assert.throws(
        () => value(text),
        (error) => error instanceof ExpressionError && message.test(error.message) && error.position === position,
      );
    });
  }

  it('refuses to nest without bounds', () => {
    for (const text of [
      `${'('.repeat(900)}1${')'.repeat(900)}`,
      '-'.repeat(1900),
      '['.repeat(900),
      `1${'+1'.repeat(900)}`,
      '1'.repeat(5000),
    ])
      assert.throws(() => value(text), ExpressionError);
  });
});
