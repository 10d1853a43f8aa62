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
});
