import assert from 'node:assert/strict';
import { CP437, screenText } from '../../extension/cp437.ts';
import { scanCodes } from '../../extension/scanCodes.ts';
import { SerialText } from '../../extension/serialText.ts';

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

describe('serial output as terminal text', () => {
  const decode = (...batches: number[][]): string => {
    const text = new SerialText();
    return batches.map((batch) => text.decode(Uint8Array.from(batch))).join('');
  };

  it('starts a line at a lone line feed only', () => {
    assert.equal(decode([97, 10, 98, 13, 10, 99]), 'a\r\nb\r\nc');
    assert.equal(decode([97, 13], [10, 98]), 'a\r\nb');
    assert.equal(decode([10]), '\r\n');
  });

  it('joins characters that come in two batches, and shows bytes that are none', () => {
    assert.equal(decode([0xe2, 0x94], [0x80, 97]), '─a');
    assert.equal(decode([0xff, 97]), '\ufffda');
  });
});

describe('scan codes', () => {
  it('are those of set 1', () => {
    const known: [string, number[]][] = [
      ['Escape', [0x01]],
      ['Digit1', [0x02]],
      ['Backspace', [0x0e]],
      ['Tab', [0x0f]],
      ['KeyQ', [0x10]],
      ['Enter', [0x1c]],
      ['ControlLeft', [0x1d]],
      ['KeyA', [0x1e]],
      ['Backquote', [0x29]],
      ['ShiftLeft', [0x2a]],
      ['Backslash', [0x2b]],
      ['KeyZ', [0x2c]],
      ['ShiftRight', [0x36]],
      ['NumpadMultiply', [0x37]],
      ['AltLeft', [0x38]],
      ['Space', [0x39]],
      ['CapsLock', [0x3a]],
      ['F1', [0x3b]],
      ['F10', [0x44]],
      ['NumLock', [0x45]],
      ['ScrollLock', [0x46]],
      ['Numpad7', [0x47]],
      ['NumpadAdd', [0x4e]],
      ['NumpadDecimal', [0x53]],
      ['IntlBackslash', [0x56]],
      ['F11', [0x57]],
      ['F12', [0x58]],
      ['ArrowUp', [0xe0, 0x48]],
      ['Delete', [0xe0, 0x53]],
      ['ControlRight', [0xe0, 0x1d]],
      ['NumpadEnter', [0xe0, 0x1c]],
    ];
    for (const [code, codes] of known) assert.deepEqual(scanCodes(code, true), codes, code);
  });

  it('have bit 7 set when the key goes up', () => {
    assert.deepEqual(scanCodes('KeyA', false), [0x9e]);
    assert.deepEqual(scanCodes('ArrowUp', false), [0xe0, 0xc8]);
    assert.deepEqual(scanCodes('Pause', false), []);
    assert.deepEqual(scanCodes('BrowserBack', true), []);
  });
});
