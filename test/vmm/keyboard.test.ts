import { strict as assert } from 'node:assert';
import { characterCodes, KEY_CODES, keyCodes, textCodes } from '../../src/vmm/keyboard.ts';
import { createRig, MILLISECOND } from './devices/rig.ts';

const hex = (codes: ArrayLike<number> | null): string => Array.from(codes ?? [], (code) => code.toString(16).padStart(2, '0')).join(' ');

describe('keyboard layout', () => {
  it('knows the 104 keys of a PC keyboard and the one beside the left Shift of others, each with its own codes', () => {
    assert.equal(KEY_CODES.length, 105);
    assert.equal(new Set(KEY_CODES.map((code) => hex(keyCodes(code)?.make ?? null))).size, 105);
  });

  it('gives make and break codes by KeyboardEvent.code', () => {
    const pairs = Object.entries({
      KeyA: ['1e', '9e'],
      Enter: ['1c', '9c'],
      NumpadEnter: ['e0 1c', 'e0 9c'],
      ArrowUp: ['e0 48', 'e0 c8'],
      Numpad8: ['48', 'c8'],
      F1: ['3b', 'bb'],
      F11: ['57', 'd7'],
      F12: ['58', 'd8'],
      Delete: ['e0 53', 'e0 d3'],
      MetaLeft: ['e0 5b', 'e0 db'],
      PrintScreen: ['e0 2a e0 37', 'e0 b7 e0 aa'],
      Pause: ['e1 1d 45 e1 9d c5', ''],
    });
    for (const [code, [make, release]] of pairs) {
      const codes = keyCodes(code);
      assert.ok(codes);
      assert.deepEqual([hex(codes.make), hex(codes.break)], [make, release], code);
    }
  });

  it('knows no other key', () => {
    for (const code of ['', 'F13', 'keyA', '__proto__', 'constructor']) assert.equal(keyCodes(code), null);
    assert.equal(characterCodes('é'), null);
    assert.equal(characterCodes('toString'), null);
  });

  it('types every printable ASCII character, with Shift where the US layout needs it', () => {
    const shifted = '~!@#$%^&*()_+{}|:"<>?ABCDEFGHIJKLMNOPQRSTUVWXYZ';
    for (let value = 0x20; value < 0x7f; value++) {
      const character = String.fromCharCode(value);
      const codes = characterCodes(character);
      assert.ok(codes, character);
      const withShift = shifted.includes(character);
      assert.equal(codes.length, withShift ? 4 : 2, character);
      const [make, release] = withShift ? codes.slice(1, 3) : codes;
      assert.equal(release, make | 0x80);
      if (withShift) assert.deepEqual([codes[0], codes[3]], [0x2a, 0xaa]);
    }
    assert.equal(new Set(Array.from({ length: 95 }, (_, index) => hex(characterCodes(String.fromCharCode(0x20 + index))))).size, 95);
    assert.equal(hex(characterCodes('?')), '2a 35 b5 aa');
  });

  it('types control characters with Ctrl, and Enter, Tab, Backspace and Escape by their keys', () => {
    assert.equal(hex(characterCodes('\x03')), '1d 2e ae 9d');
    assert.equal(hex(characterCodes('\x1c')), '1d 2b ab 9d');
    assert.equal(hex(textCodes('\r\n\t\b\x7f\x1b')), '1c 9c 1c 9c 0f 8f 0e 8e 0e 8e 01 81');
    for (let value = 1; value <= 0x1d; value++) assert.ok(characterCodes(String.fromCharCode(value)), `${value}`);
  });

  it("takes a terminal's cursor and function key sequences for their keys", () => {
    assert.equal(hex(textCodes('a\x1b[Ab')), '1e 9e e0 48 e0 c8 30 b0');
    assert.equal(hex(textCodes('\x1bOA\x1b[3~\x1b[15~\x1b[24~\x1bOP')), 'e0 48 e0 c8 e0 53 e0 d3 3f bf 58 d8 3b bb');
    assert.equal(hex(textCodes('\x1b[Z')), '01 81 1a 9a 2a 2c ac aa', 'an unknown sequence is its characters');
    assert.equal(hex(textCodes('\x1b')), '01 81');
  });

  it('leaves out what no key types', () => {
    assert.equal(hex(textCodes('ä€a😀')), '1e 9e');
    assert.equal(textCodes('').length, 0);
  });

  it('is what a guest reads from the keyboard controller', () => {
    const rig = createRig();
    for (const text of ['Hello, World!\n', 'ls -l | wc', '\x1b[A\x1b[6~']) {
      const codes = textCodes(text);
      assert.equal(rig.devices.keyboard.receive(codes), true);
      const read: number[] = [];
      for (let step = 0; step < 4 * codes.length; step++) {
        rig.run(MILLISECOND / 5);
        if (rig.in(0x64) & 1) read.push(rig.in(0x60));
      }
      assert.deepEqual(read, [...codes]);
    }
  });
});
