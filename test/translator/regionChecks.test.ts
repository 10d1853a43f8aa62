import assert from 'node:assert/strict';
import { ENGINE_HEADER } from '../../src/translator/forms.ts';
import { MODE } from '../../src/translator/mode.ts';
import { translateRegion } from '../../src/translator/region.ts';

const FLAT = MODE.CODE32 | MODE.STACK32 | MODE.FLAT_CS | MODE.FLAT_DS | MODE.FLAT_ES | MODE.FLAT_SS | MODE.PROTECTED;

/** The text of the region that these bytes make, in code of 32 bits. */
function region(bytes: readonly number[], { mode = FLAT, separate = false } = {}): string {
  const made = translateRegion({
    byte: (n) => bytes[n] ?? 0xcc,
    mode,
    entry: 0,
    executed: (n) => n < bytes.length,
    arrivals: () => [],
    taken: () => false,
    breakpoints: new Set(),
    separate,
  })!;
  return made.source.slice(ENGINE_HEADER.length);
}
/** Tables that are looked into, in order; what only tells why a check failed is left out. */
const lookUps = (text: string): string[] =>
  [...text.replace(/\{e=t[rw]\[[^{}]*q=2;/g, '{').matchAll(/=(tr|tw)\[/g)].map((found) => found[1]!);

const PUSH_EAX = 0x50,
  POP_ECX = 0x59;
const load = (displacement: number): number[] => [0x8b, 0x43, displacement]; // mov eax, [ebx+displacement]
const store = (displacement: number): number[] => [0x89, 0x4b, displacement]; // mov [ebx+displacement], ecx

describe('accesses of a region that are checked together', () => {
  it('are those of a stack frame, pushed and popped again', () => {
    assert.deepEqual(lookUps(region([PUSH_EAX, PUSH_EAX, POP_ECX, POP_ECX])), ['tw']);
  });

  it('are the fields of a structure, read only where none is written', () => {
    assert.deepEqual(lookUps(region([...load(0), ...load(8)])), ['tr']);
    assert.deepEqual(lookUps(region([...load(0), ...store(8)])), ['tw']);
  });

  it('are the same place by index, read and then written', () => {
    // mov eax, [ebx+ecx*4+8]; inc edx; mov [ebx+ecx*4+8], eax
    assert.deepEqual(lookUps(region([0x8b, 0x44, 0x8b, 0x08, 0x42, 0x89, 0x44, 0x8b, 0x08])), ['tw']);
  });

  it('are none when a register of the address has changed in a way that is not known', () => {
    // mov ebx, [ebx] between two loads
    assert.deepEqual(lookUps(region([...load(4), 0x8b, 0x1b, ...load(4)])), ['tr', 'tr']);
  });

  it('follow a register that a constant is added to', () => {
    // add ebx, 4
    assert.deepEqual(lookUps(region([...load(0), 0x83, 0xc3, 0x04, ...load(0)])), ['tr']);
  });

  it('span 256 bytes at most', () => {
    const beyond = (displacement: number): number[] => [0x8b, 0x83, displacement & 0xff, displacement >> 8, 0, 0]; // mov eax, [ebx+displacement]
    assert.deepEqual(lookUps(region([...load(0), ...beyond(252)])), ['tr']);
    assert.deepEqual(lookUps(region([...load(0), ...beyond(253)])), ['tr', 'tr']);
  });

  it('go on behind a branch, but a write there does not keep reads before it from passing', () => {
    const jump = [0x74, 0x03]; // je over the next three bytes
    assert.deepEqual(lookUps(region([...load(0), ...jump, ...load(4), 0xf4])), ['tr']);
    assert.deepEqual(lookUps(region([...load(0), ...load(4), ...jump, ...store(8), 0xf4])), ['tr', 'tw']);
  });

  it('end where two ways meet', () => {
    // load; je over inc edx and inc edx; load
    assert.deepEqual(lookUps(region([...load(0), 0x74, 0x02, 0x42, 0x42, ...load(4), 0xf4])), ['tr', 'tr']);
  });

  it('are none in segments that are not flat, and none when that was asked for', () => {
    assert.deepEqual(lookUps(region([...load(0), ...load(8)], { mode: FLAT & ~MODE.FLAT_DS })), ['tr', 'tr']);
    assert.deepEqual(lookUps(region([PUSH_EAX, PUSH_EAX], { separate: true })), ['tw', 'tw']);
  });

  it('let flags between them be, since nothing leaves there', () => {
    // pop ecx; add eax, ecx; pop ecx; sub eax, ecx: only what the last one sets can be seen
    const text = region([POP_ECX, 0x01, 0xc8, POP_ECX, 0x29, 0xc8, 0xf4]);
    assert.equal([...text.matchAll(/fo=\d/g)].length, 1, text);
  });
});

describe('flags of a region', () => {
  it('are not kept for a block that sets them anew', () => {
    // sub eax, ecx; jmp to the next; add eax, ecx; hlt
    const text = region([0x29, 0xc8, 0xeb, 0x00, 0x01, 0xc8, 0xf4]);
    assert.equal([...text.matchAll(/fo=\d/g)].length, 1, text);
  });

  it('are kept for a block that may leave before it sets them anew', () => {
    // sub eax, ecx; jmp to the next; mov edx, [ebx]; add eax, ecx; hlt
    const text = region([0x29, 0xc8, 0xeb, 0x00, 0x8b, 0x13, 0x01, 0xc8, 0xf4]);
    assert.equal([...text.matchAll(/fo=\d/g)].length, 2, text);
  });
});
