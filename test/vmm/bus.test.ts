import { strict as assert } from 'node:assert';
import { Bus } from '../../src/vmm/bus.ts';
import type { Device } from '../../src/vmm/device.ts';

function device(parts: Partial<Device>): { device: Device; log: string[] } {
  const log: string[] = [];
  return {
    log,
    device: {
      portRead: (port, size) => {
        log.push(`r${size} ${port.toString(16)}`);
        return size === 1 ? port & 0xff : size === 2 ? 0x1234 : 0x89abcdef;
      },
      portWrite: (port, value, size) => void log.push(`w${size} ${port.toString(16)}=${value.toString(16)}`),
      memoryRead: (address, size) => {
        log.push(`r${size} ${address.toString(16)}`);
        return size === 1 ? address & 0xff : size === 2 ? 0x5678 : 0xfedcba98;
      },
      memoryWrite: (address, value, size) => void log.push(`w${size} ${address.toString(16)}=${value.toString(16)}`),
      reset() {},
      save: () => ({}),
      load() {},
      ...parts,
    },
  };
}

describe('bus', () => {
  it('reads all ones and loses writes where no device answers', () => {
    const bus = new Bus();
    assert.deepEqual([bus.portRead(0x300, 1), bus.portRead(0x300, 2), bus.portRead(0x300, 4)], [0xff, 0xffff, 0xffffffff]);
    assert.deepEqual([bus.memoryRead(0xa0000, 1), bus.memoryRead(0xa0000, 2), bus.memoryRead(0xfffffffe, 4)], [0xff, 0xffff, 0xffffffff]);
    bus.portWrite(0x300, 1, 4);
    bus.memoryWrite(0xa0000, 1, 4);
    assert.equal(bus.portOwner(0x300), null);
  });

  it('splits accesses to byte registers into bytes, low address first', () => {
    const bus = new Bus();
    const { device: d, log } = device({ ports: [{ first: 0x10, last: 0x13 }] });
    bus.add('d', d);
    assert.equal(bus.portRead(0x10, 4), 0x13121110);
    bus.portWrite(0x10, 0xaabbccdd, 4);
    bus.portWrite(0x12, 0xaabb, 2);
    assert.deepEqual(log, ['r1 10', 'r1 11', 'r1 12', 'r1 13', 'w1 10=dd', 'w1 11=cc', 'w1 12=bb', 'w1 13=aa', 'w1 12=bb', 'w1 13=aa']);
    assert.equal(bus.portOwner(0x13), 'd');
  });

  it('gives a wide device the widest access it takes', () => {
    const bus = new Bus();
    const { device: d, log } = device({ ports: [{ first: 0x10, last: 0x17 }], portWidth: 2 });
    bus.add('d', d);
    assert.equal(bus.portRead(0x10, 4), 0x12341234);
    bus.portWrite(0x10, 0xaabbccdd, 4);
    assert.deepEqual(log, ['r2 10', 'r2 12', 'w2 10=ccdd', 'w2 12=aabb']);
  });

  it('splits an access that runs past a device into its neighbour or nothing', () => {
    const bus = new Bus();
    const first = device({ ports: [{ first: 0x10, last: 0x11 }], portWidth: 4 });
    const second = device({ ports: [{ first: 0x12, last: 0x12 }] });
    bus.add('first', first.device);
    bus.add('second', second.device);
    assert.equal(bus.portRead(0x10, 4), 0xff121234);
    assert.deepEqual([...first.log, ...second.log], ['r2 10', 'r1 12']);
    const last = device({ ports: [{ first: 0xffff, last: 0xffff }], portWidth: 4 });
    bus.add('last', last.device);
    assert.equal(bus.portRead(0xffff, 4), 0xffffffff);
    bus.portWrite(0xffff, 0x11223344, 4);
    assert.deepEqual(last.log, ['r1 ffff', 'w1 ffff=44']);
  });

  it('gives memory accesses whole and splits them at the end of a range', () => {
    const bus = new Bus();
    const { device: d, log } = device({ memory: [{ first: 0xb8000, last: 0xbffff }] });
    bus.add('d', d);
    assert.equal(bus.memoryOwner(0xbffff), 'd');
    assert.equal(bus.memoryOwner(0xc0000), null);
    assert.equal(bus.memoryRead(0xb8000, 4), 0xfedcba98);
    assert.equal(bus.memoryRead(0xbfffe, 4), 0xffff5678);
    bus.memoryWrite(0xbffff, 0x1122, 2);
    assert.deepEqual(log, ['r4 b8000', 'r2 bfffe', 'w1 bffff=22']);
  });

  it('refuses overlaps and ranges that are none, naming both devices, and adds nothing then', () => {
    const bus = new Bus();
    bus.add('first', device({ ports: [{ first: 0x10, last: 0x1f }], memory: [{ first: 0x1000, last: 0x1fff }] }).device);
    assert.throws(
      () =>
        bus.add(
          'second',
          device({
            ports: [
              { first: 0x20, last: 0x20 },
              { first: 0x1f, last: 0x1f },
            ],
          }).device,
        ),
      /second: port 1Fh belongs to first/,
    );
    assert.equal(bus.portOwner(0x20), null);
    assert.throws(() => bus.add('second', device({ memory: [{ first: 0x1800, last: 0x2800 }] }).device), /overlaps first/);
    assert.throws(() => bus.add('second', device({ ports: [{ first: 0xffff, last: 0x10000 }] }).device), RangeError);
    assert.throws(() => bus.add('second', device({ ports: [{ first: -1, last: 1 }] }).device), RangeError);
  });

  it('gives double words at a port to their own device, bytes and words to the other', () => {
    const bus = new Bus();
    const [bytes, words] = [
      device({ ports: [{ first: 0xcf8, last: 0xcfb }] }),
      device({ ports: [{ first: 0xcf8, last: 0xcfb, only: 4 }], portWidth: 4 }),
    ];
    bus.add('bytes', bytes.device);
    bus.add('words', words.device);
    assert.equal(bus.portRead(0xcf8, 4), 0x89abcdef);
    bus.portWrite(0xcf8, 0x12345678, 4);
    bus.portWrite(0xcf8, 0x1234, 2);
    assert.deepEqual(
      [bytes.log, words.log],
      [
        ['w1 cf8=34', 'w1 cf9=12'],
        ['r4 cf8', 'w4 cf8=12345678'],
      ],
    );
    assert.throws(() => bus.add('more', words.device), /more: double word at port CF8h belongs to words/);
  });

  it('moves ranges, gives them offsets, and lets fixed and earlier ones go first', () => {
    const bus = new Bus();
    const log: string[] = [];
    const range = (name: string, kind: 'port' | 'memory') =>
      bus.movable(name, {
        kind,
        bytes: 16,
        width: 4,
        read: (offset, size) => (log.push(`${name} r${size} ${offset}`), 0),
        write: (offset, value, size) => void log.push(`${name} w${size} ${offset}=${value}`),
      });
    const [a, b, m] = [range('a', 'port'), range('b', 'port'), range('m', 'memory')];
    bus.add('fixed', device({ ports: [{ first: 0x108, last: 0x10f }], memory: [{ first: 0x2000, last: 0x2007 }] }).device);
    assert.deepEqual([bus.portOwner(0), bus.memoryOwner(0)], [null, null], 'nowhere at first');
    b.place(0x100);
    a.place(0x104);
    const owners = () => [0x100, 0x104, 0x108, 0x10f, 0x110].map((port) => bus.portOwner(port));
    assert.deepEqual(owners(), ['b', 'a', 'fixed', 'fixed', 'a']);
    bus.portRead(0x104, 4);
    bus.portWrite(0x110, 0x1_0055, 2);
    a.place(null);
    assert.deepEqual(owners(), ['b', 'b', 'fixed', 'fixed', null]);
    m.place(0x2000);
    assert.deepEqual([bus.memoryOwner(0x2000), bus.memoryOwner(0x2008)], ['fixed', 'm']);
    bus.memoryWrite(0x200c, 7, 4);
    assert.deepEqual(log, ['a r4 0', 'a w2 12=85', 'm w4 12=7']);
    m.place(0xffff_fff8);
    b.place(0xfff8);
    assert.deepEqual(
      [bus.memoryOwner(0xffff_fffc), bus.portOwner(0xfffc), bus.portOwner(0x100)],
      [null, null, null],
      'they do not fit there',
    );
  });
});
