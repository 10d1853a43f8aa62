// The devices of a port or two.

import { strict as assert } from 'node:assert';
import { createRig } from './rig.ts';

describe('POST code latch', () => {
  it('keeps the last code', () => {
    const rig = createRig();
    rig.out(0x80, 0x12, 0x34);
    assert.equal(rig.in(0x80), 0x34);
    assert.equal(rig.devices.port80.code, 0x34);
  });
});

describe('debug console', () => {
  it('sends what is written and reads E9h', () => {
    const rig = createRig();
    rig.out(0xe9, 0x41, 0x42);
    assert.deepEqual(rig.sent.debugcon, [0x41, 0x42]);
    assert.equal(rig.in(0xe9), 0xe9);
  });
});

describe('isa-debug-exit', () => {
  it('ends the machine with (value << 1) | 1', () => {
    const rig = createRig({ debugExit: { port: 0xf4, size: 1 } });
    rig.out(0xf4, 0, 0x10);
    assert.deepEqual(rig.pins, ['power off 1', 'power off 33']);
    assert.equal(rig.in(0xf4), 0);
  });

  it('takes a word or double word whole', () => {
    const rig = createRig({ debugExit: { port: 0x501, size: 2 } });
    rig.bus.portWrite(0x501, 0x1234, 2);
    const wide = createRig({ debugExit: { port: 0xf4, size: 4 } });
    wide.bus.portWrite(0xf4, 0xffffffff, 4);
    assert.deepEqual([...rig.pins, ...wide.pins], ['power off 9321', 'power off 4294967295']);
  });

  it('is not there unless the machine has one', () => {
    const rig = createRig();
    rig.out(0xf4, 1);
    rig.out(0x501, 1);
    assert.deepEqual(rig.pins, []);
    assert.equal(rig.in(0xf4), 0xff);
  });

  it('refuses places that are none or taken', () => {
    assert.throws(() => createRig({ debugExit: { port: 0xf4, size: 3 } }), /size must be 1, 2 or 4/);
    assert.throws(() => createRig({ debugExit: { port: 0x3f8, size: 1 } }), /debugExit: port 3F8h belongs to serial0/);
    assert.throws(() => createRig({ debugExit: { port: 0x1ffff, size: 1 } }), RangeError);
  });
});

describe('system control port A', () => {
  it('opens and closes A20', () => {
    const rig = createRig();
    assert.equal(rig.in(0x92), 0x02);
    rig.out(0x92, 0x00, 0x02);
    assert.deepEqual(rig.pins, ['a20 closed', 'a20 open']);
    assert.equal(rig.in(0x92), 0x02);
  });

  it('resets the processor when bit 0 goes up', () => {
    const rig = createRig();
    rig.out(0x92, 0x03, 0x03, 0x02, 0x03);
    assert.deepEqual(rig.pins.filter((pin) => pin === 'reset').length, 2);
  });
});

describe('reset control register', () => {
  it('resets when bit 2 goes up', () => {
    const rig = createRig();
    rig.out(0xcf9, 0x02);
    assert.deepEqual(rig.pins, []);
    rig.out(0xcf9, 0x06);
    assert.deepEqual(rig.pins, ['reset']);
    rig.out(0xcf9, 0x06);
    assert.deepEqual(rig.pins, ['reset']);
    assert.equal(rig.in(0xcf9), 0x06);
  });

  it('takes no PCI configuration address for a reset', () => {
    const rig = createRig();
    rig.bus.portWrite(0xcf8, 0x8000ffff, 4);
    rig.bus.portWrite(0xcf8, 0xffff, 2);
    assert.deepEqual(rig.pins, []);
    assert.equal(rig.bus.portRead(0xcf8, 4), 0x8000fffc);
    assert.deepEqual([rig.bus.portRead(0xcf8, 1), rig.bus.portRead(0xcf8, 2)], [0xff, 0xffff]);
  });
});

describe('power-off ports', () => {
  it('switch off by the word that each emulator knows', () => {
    for (const [port, value] of [
      [0xb004, 0x2000],
      [0x4004, 0x3400],
    ]) {
      const rig = createRig();
      rig.bus.portWrite(port, value ^ 0x2000, 2);
      rig.out(port + 1, value >> 8);
      assert.deepEqual(rig.pins, []);
      rig.bus.portWrite(port, value, 2);
      assert.deepEqual(rig.pins, ['power off']);
      assert.equal(rig.bus.portRead(port, 2), 0);
    }
  });

  it('switch off by "Shutdown" at 8900h and by nothing like it', () => {
    const rig = createRig();
    const send = (text: string): void => rig.out(0x8900, ...[...text].map((letter) => letter.charCodeAt(0)));
    send('shutdownShutdowShut downShut');
    assert.deepEqual(rig.pins, []);
    send('ShutShutdown');
    assert.deepEqual(rig.pins, ['power off']);
    send('ShutdownShutdown');
    assert.equal(rig.pins.length, 3);
  });
});

describe('8237A', () => {
  it('keeps addresses and counts by the flip-flop', () => {
    const rig = createRig();
    rig.out(0x0c, 0);
    rig.out(0x04, 0x34, 0x12);
    rig.out(0x05, 0xff, 0x01);
    assert.deepEqual([rig.in(0x04), rig.in(0x04), rig.in(0x05), rig.in(0x05)], [0x34, 0x12, 0xff, 0x01]);
    rig.in(0x04);
    rig.out(0x0c, 0);
    assert.equal(rig.in(0x04), 0x34);
    rig.out(0xd8, 0);
    rig.out(0xc4, 0x78, 0x56);
    assert.deepEqual([rig.in(0xc4), rig.in(0xc5)], [0x78, 0x56]);
  });

  it('masks by channel, all at once, and with master clear', () => {
    const rig = createRig();
    assert.equal(rig.in(0x0f), 0xff);
    rig.out(0x0a, 0x02);
    assert.equal(rig.in(0x0f), 0xfb);
    rig.out(0x0a, 0x06);
    rig.out(0x0e, 0);
    assert.equal(rig.in(0x0f), 0xf0);
    rig.out(0x0f, 0x05);
    assert.equal(rig.in(0x0f), 0xf5);
    rig.out(0xd4, 0x00);
    assert.equal(rig.in(0xde), 0xfe);
    rig.out(0xda, 0);
    assert.equal(rig.in(0xde), 0xff);
  });

  it('shows software requests in the status and keeps page registers', () => {
    const rig = createRig();
    rig.out(0x09, 0x05);
    assert.equal(rig.in(0x08), 0x20);
    rig.out(0x09, 0x01);
    assert.equal(rig.in(0x08), 0);
    for (let port = 0x81; port <= 0x8f; port++) rig.out(port, port ^ 0x55);
    for (let port = 0x81; port <= 0x8f; port++) assert.equal(rig.in(port), port ^ 0x55);
  });
});
