/** Listings of NASM: every form of row, sections of flat binaries, hostile text. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { matches, type Piece, parseListing, placeSections } from '../../../extension/debug/listing.ts';
import { SourceMap } from '../../../extension/debug/sourceMap.ts';
import { root } from '../../../scripts/root.ts';

/** As NASM 2.16 writes it: macros, an include, %rep, repeated and included bytes, sections, relocation. */
const LISTING = `     1                                  ; comment
     2                                  [org 0x7c00]
     3                                  bits 16
     5                                  %macro putc 1
     6                                      mov al, %1
     8                                      int 0x10
     9                                  %endmacro
    10 00000000 FA                      start:  cli
    12                                      putc 'A'
     6 00000001 B041                <1>  mov al, %1
     7                              <1>  %%again:
     8 00000003 CD10                <1>  int 0x10
    14                                      putc 'B'
     6 00000005 B042                <1>  mov al, %1
     8 00000007 CD10                <1>  int 0x10
    15 00000009 BE[2200]                    mov si, msg
    16 0000000C AC                      .loop: lodsb
    20                                  .done:
    21 0000000D F4                          hlt
    23                                  %include "inc.inc"
     1                              <1> ; included
     2                              <1> helper:
     3 0000000E B90300              <1>     mov cx, 3
    25 00000011 48656C6C6F2C206120-     msg db 'Hello, a long', 13, 10, 0
    25 0000001A 6C6F6E670D0A00           
    26                                  val: equ 0x1234
    27 00000021 90<rep 5h>                  times 5 nop
    28 00000026 0102<rep 3h>                times 3 db 1,2
    29                                  %rep 2
    30                                      inc ax
    31                                  %endrep
    30 0000002C 40                  <1>  inc ax
    30 0000002D 40                  <1>  inc ax
    32 0000002E <bin 2Fh>               incbin "data.bin"
    33 0000005D ????????                buf: resb 4
    33          ******************       warning: uninitialized space declared in .text section: zeroing [-w+zeroing]
    34 00000061 E8(00000000)                call foo
    39                                  section .data
    40 00000000 4D000000                d1: dd 77
    41                                  bits 32
    42 00000004 A1[00000000]             mov eax, [d1]
    44                                  section .bss
    45 00000000 <res 28h>               b1: resd 10
    46                                  struc point
    47 00000000 ????????                .x: resd 1
    48                                  endstruc
`;

const listing = parseListing(LISTING);
const piece = (section: string, offset: number): Piece => {
  const found = listing.pieces.find((one) => one.section === section && one.offset === offset);
  assert.ok(found, `${section} ${offset}`);
  return found;
};

describe('a NASM listing', () => {
  it('gives each line its bytes and offset', () => {
    assert.deepEqual(piece('.text', 0), {
      section: '.text',
      offset: 0,
      length: 1,
      bytes: [0xfa],
      file: '',
      line: 10,
      bodyLine: 0,
      text: 'start:  cli',
      bits: 16,
    });
  });

  it('counts macro expansions for the line that invokes them', () => {
    assert.deepEqual(
      [1, 3, 5, 7].map((offset) => [piece('.text', offset).line, piece('.text', offset).bodyLine]),
      [
        [12, 6],
        [12, 8],
        [14, 6],
        [14, 8],
      ],
    );
  });

  it('counts lines of %rep for themselves, and lines of includes for their file', () => {
    assert.equal(piece('.text', 0x2d).line, 30);
    assert.deepEqual([piece('.text', 0xe).file, piece('.text', 0xe).line], ['inc.inc', 3]);
  });

  it('joins rows that continue', () => {
    assert.equal(piece('.text', 0x11).length, 16);
    assert.deepEqual(piece('.text', 0x11).bytes.slice(-3), [13, 10, 0]);
  });

  it('knows repeated, included, reserved and relocated bytes', () => {
    assert.equal(piece('.text', 0x21).length, 5);
    assert.equal(piece('.text', 0x26).length, 6);
    assert.equal(piece('.text', 0x2e).length, 0x2f);
    assert.deepEqual(piece('.text', 0x5d).bytes, [-1, -1, -1, -1]);
    assert.deepEqual(piece('.text', 9).bytes, [0xbe, -1, -1]);
    assert.deepEqual(piece('.text', 0x61).bytes, [0xe8, -1, -1, -1, -1]);
    assert.equal(piece('.bss', 0).length, 40);
  });

  it('knows labels, local ones by their full name, and neither EQU nor structures', () => {
    assert.deepEqual(
      listing.labels.map((label) => `${label.section}:${label.offset.toString(16)} ${label.name}`),
      [
        '.text:0 start',
        '.text:c start.loop',
        '.text:d start.done',
        '.text:e helper',
        '.text:11 msg',
        '.text:5d buf',
        '.data:0 d1',
        '.bss:0 b1',
      ],
    );
  });

  it('knows ORG and BITS', () => {
    assert.equal(listing.org, 0x7c00);
    assert.deepEqual([piece('.text', 0).bits, piece('.data', 4).bits], [16, 32]);
  });

  it('takes the length from the next offset where old versions give none', () => {
    const old = parseListing(
      '     1 00000000 90<rept>                times 4 nop\n     2 00000004 <incbin>                incbin "x"\n     3 00000009 C3                      ret\n',
    );
    assert.deepEqual(
      old.pieces.map((one) => one.length),
      [4, 5, 1],
    );
  });

  it('is compared with memory, except where relocation decides', () => {
    assert.ok(matches(piece('.text', 9), Uint8Array.of(0xbe, 0x22, 0x7c)));
    assert.ok(!matches(piece('.text', 9), Uint8Array.of(0xbf, 0x22, 0x7c)));
    assert.ok(!matches(piece('.text', 9), Uint8Array.of(0xbe)));
  });

  it('matches the example image byte for byte', () => {
    const hello = parseListing(readFileSync(join(root, 'examples/hello.lst'), 'utf8'));
    const image = readFileSync(join(root, 'examples/hello.img'));
    for (const one of hello.pieces) assert.ok(matches(one, image.subarray(one.offset, one.offset + one.bytes.length)), `line ${one.line}`);
    assert.equal(hello.org, 0x7c00);
  });

  it('is refused when it is something else', () => {
    assert.throws(() => parseListing('int main() {}\n'), /no NASM listing/);
    assert.throws(() => parseListing(''), /no NASM listing/);
  });

  it('can be anything without harm', () => {
    let seed = 1;
    const random = (limit: number): number => (seed = (Math.imul(seed, 1103515245) + 12345) >>> 0) % limit;
    const alphabet = '0123456789ABCDEF <>[]()-?:.%;\n\r\tabcdefghinrstuvwxyz"';
    for (let round = 0; round < 300; round++) {
      const text = [...LISTING];
      for (let n = 0; n < 40; n++) text[random(text.length)] = alphabet[random(alphabet.length)] ?? '';
      try {
        const parsed = parseListing(text.join(''));
        for (const one of parsed.pieces) assert.ok(one.length > 0 && one.offset >= 0);
        placeSections(parsed, new Uint8Array(600));
      } catch (error) {
        assert.match(String(error), /listing/);
      }
    }
  });
});

describe('sections of a flat binary', () => {
  const two = parseListing(
    '     1 00000000 90C3                    nop\n     2                                  section .data\n     3 00000000 11223344                d: dd 0x44332211\n     4                                  section .bss\n     5 00000000 ????                    b: resb 2\n',
  );

  it('follow .text, aligned to 4', () => {
    assert.deepEqual(
      [...placeSections(two, undefined)],
      [
        ['.text', 0],
        ['.data', 4],
        ['.bss', 8],
      ],
    );
  });

  it('are found in the image where the default is wrong', () => {
    const image = new Uint8Array(64);
    image.set([0x90, 0xc3]);
    image.set([0x11, 0x22, 0x33, 0x44], 16);
    assert.equal(placeSections(two, image).get('.data'), 16);
  });
});

describe('the source map', () => {
  const map = new SourceMap();
  map.add(
    listing,
    new Map([
      ['.text', [0x7c00]],
      ['.data', [0x7e00]],
    ]),
    '/work dir/boot.asm',
  );

  it('finds the line of an address', () => {
    assert.deepEqual(
      map.at(0x7c02).map((one) => [one.path, one.piece.line]),
      [['/work dir/boot.asm', 12]],
    );
    assert.deepEqual(
      map.at(0x7c0f).map((one) => [one.path, one.piece.line]),
      [['/work dir/inc.inc', 3]],
    );
    assert.deepEqual(map.at(0x7bff), []);
  });

  it('finds the address of a line, of a URI too, and moves down from lines without code', () => {
    assert.deepEqual(
      map.code('file:///work%20dir/boot.asm', 10).pieces.map((one) => one.address),
      [0x7c00],
    );
    const moved = map.code('/work dir/boot.asm', 11);
    assert.deepEqual([moved.line, moved.pieces.map((one) => one.address)], [12, [0x7c01]]);
  });

  it('finds every expansion of a macro line', () => {
    assert.deepEqual(
      map.code('/work dir/boot.asm', 6).pieces.map((one) => one.address),
      [0x7c01, 0x7c05],
    );
    assert.deepEqual(
      map.code('/work dir/boot.asm', 30).pieces.map((one) => one.address),
      [0x7c2c, 0x7c2d],
    );
  });

  it('takes a macro expansion as one statement', () => {
    const [first] = map.at(0x7c03);
    assert.ok(first);
    assert.deepEqual(map.extent(first), { first: 0x7c01, end: 0x7c05 });
  });

  it('has nothing for other files', () => {
    assert.deepEqual(map.code('/work dir/other.asm', 10).pieces, []);
    assert.deepEqual(map.lines('/work dir/boot.asm', 10, 16), [10, 12, 14, 15, 16]);
  });
});
