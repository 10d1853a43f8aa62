import assert from 'node:assert/strict';
import { CP437, screenText } from '../../src/vmm/codePage437.ts';

describe('code page 437', () => {
  it('has 256 different characters', () => {
    assert.equal(CP437.length, 256);
    // Blank, 0 and 255 look alike but are told apart except for code 0, which shows as a blank.
    assert.equal(new Set(CP437).size, 255);
    for (const character of CP437) assert.equal([...character].length, 1);
  });

  it('has ASCII at its place and the known graphics', () => {
    for (let code = 32; code < 127; code++) assert.equal(CP437[code], String.fromCharCode(code));
    const known: [number, string][] = [
      [1, '☺'],
      [0x0e, '♫'],
      [0x1b, '←'],
      [0x1f, '▼'],
      [0x7f, '⌂'],
      [0x80, 'Ç'],
      [0x9f, 'ƒ'],
      [0xb0, '░'],
      [0xb3, '│'],
      [0xc4, '─'],
      [0xcd, '═'],
      [0xda, '┌'],
      [0xdb, '█'],
      [0xe1, 'ß'],
      [0xec, '∞'],
      [0xf8, '°'],
      [0xfe, '■'],
    ];
    for (const [code, character] of known) assert.equal(CP437[code], character, code.toString(16));
  });

  it('gives the text of a screen', () => {
    const cells = new Uint8Array(2 * 10 * 2);
    for (let n = 0; n < 20; n++) cells[2 * n] = 0x20;
    cells.set([0x48, 7, 0x69, 7], 0);
    cells.set([0xdb, 0x1f], 2 * 13);
    assert.deepEqual(screenText(cells, 10), ['Hi', '   █']);
  });
});
