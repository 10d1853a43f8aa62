// Local APIC and I/O APIC by their registers.

import { strict as assert } from 'node:assert';
import { createRig, MICROSECOND, type Rig, setUpPic } from './rig.ts';

const APIC = 0xfee00000,
  IO_APIC = 0xfec00000;
const read = (rig: Rig, register: number): number => rig.bus.memoryRead(APIC + register, 4);
const write = (rig: Rig, register: number, value: number): void => rig.bus.memoryWrite(APIC + register, value, 4);
const end = (rig: Rig): void => write(rig, 0xb0, 0);
function redirect(rig: Rig, input: number, low: number, destination = 0): void {
  rig.bus.memoryWrite(IO_APIC, 0x11 + 2 * input, 4);
  rig.bus.memoryWrite(IO_APIC + 0x10, destination << 24, 4);
  rig.bus.memoryWrite(IO_APIC, 0x10 + 2 * input, 4);
  rig.bus.memoryWrite(IO_APIC + 0x10, low, 4);
}
function entry(rig: Rig, input: number): number {
  rig.bus.memoryWrite(IO_APIC, 0x10 + 2 * input, 4);
  return rig.bus.memoryRead(IO_APIC + 0x10, 4);
}
/** A message to itself. */
const self = (rig: Rig, vector: number): void => write(rig, 0x300, 0x40000 | vector);

describe('local APIC', () => {
  it('is after a reset what the manual says', () => {
    const rig = createRig();
    rig.devices.localApic.reset();
    const registers = [0x20, 0x30, 0x80, 0xa0, 0xd0, 0xe0, 0xf0, 0x280, 0x320, 0x330, 0x340, 0x350, 0x360, 0x370, 0x380, 0x390];
    assert.deepEqual(
      registers.map((register) => read(rig, register)),
      [0, 0x50014, 0, 0, 0, 0xffffffff, 0xff, 0, ...Array(6).fill(0x10000), 0, 0],
    );
    assert.equal(rig.devices.localApic.base, 0xfee00900);
  });

  it('lets the interrupt controllers through at LINT0 only as ExtINT, or past it when it is off', () => {
    const rig = createRig();
    setUpPic(rig, [4]);
    const line = rig.devices.pic.irq(4);
    line.set(true);
    assert.equal(rig.intr, true);
    write(rig, 0x350, 0x10700);
    assert.equal(rig.intr, false);
    assert.equal(rig.devices.localApic.setBase(0xfee00100, 0), true);
    assert.equal(rig.intr, true, 'disabled, it is not there');
    assert.equal(rig.bus.memoryOwner(APIC), null);
    assert.equal(rig.acknowledge(), 0x0c);
  });

  it('is not there in a processor without one, where the interrupt controllers reach the processor, also after a reset', () => {
    const rig = createRig({ hasLocalApic: false });
    for (const when of ['at power-on', 'after a reset']) {
      assert.equal(rig.bus.memoryOwner(APIC), null, when);
      setUpPic(rig, [4]);
      assert.equal(rig.interruptsMasked(), false, when);
      rig.devices.pic.irq(4).set(true);
      assert.equal(rig.intr, true, when);
      assert.equal(rig.acknowledge(), 0x0c, when);
      rig.devices.pic.irq(4).set(false);
      rig.devices.localApic.reset();
      rig.devices.pic.reset();
    }
  });

  describe("with KVM's end of interrupt in memory", () => {
    const FLAGS = 0x8000;
    const inService = (rig: Rig): number => read(rig, 0x120);
    /** Vector 41h in service, and the bit in memory. */
    function serving(rig: Rig): number {
      assert.equal(rig.devices.localApic.setPvEoi(FLAGS | 1), true);
      rig.ram[FLAGS] = 0xf0;
      self(rig, 0x41);
      assert.equal(rig.acknowledge(), 0x41);
      return rig.ram[FLAGS];
    }

    it('ends an interrupt whose bit the program has cleared, when somebody looks', () => {
      const rig = createRig();
      assert.equal(serving(rig), 1);
      rig.ram[FLAGS] = 0;
      assert.equal(inService(rig), 0);
      assert.equal(serving(rig), 1);
      rig.ram[FLAGS] = 0;
      // One of lower priority comes through.
      rig.devices.localApic.deliver(0, 0x31, false);
      assert.equal(rig.intr, true);
      assert.equal(rig.acknowledge(), 0x31);
    });

    it('takes the offer back when another interrupt comes before the end, which is then to be written', () => {
      const rig = createRig();
      serving(rig);
      rig.devices.localApic.deliver(0, 0x31, false);
      assert.deepEqual([rig.ram[FLAGS], rig.intr, inService(rig)], [0, false, 2]);
      end(rig);
      assert.equal(rig.intr, true);
    });

    it('offers it neither for level-triggered interrupts nor while others wait, nor once it is off', () => {
      const rig = createRig();
      assert.equal(rig.devices.localApic.setPvEoi(FLAGS | 1), true);
      rig.devices.localApic.deliver(0, 0x41, true);
      assert.equal(rig.acknowledge(), 0x41);
      assert.equal(rig.ram[FLAGS], 0);
      end(rig);
      for (const vector of [0x31, 0x51]) rig.devices.localApic.deliver(0, vector, false);
      assert.equal(rig.acknowledge(), 0x51);
      assert.equal(rig.ram[FLAGS], 0);
      end(rig);
      assert.equal(rig.acknowledge(), 0x31);
      assert.equal(rig.ram[FLAGS], 1);
      assert.equal(rig.devices.localApic.setPvEoi(0), true);
      assert.deepEqual([rig.ram[FLAGS], inService(rig)], [0, 0]);
      assert.equal(rig.devices.localApic.setPvEoi(FLAGS | 2), false);
    });

    it('does no harm where there is no memory', () => {
      const rig = createRig();
      assert.equal(rig.devices.localApic.setPvEoi(2 ** 40 + 1), true);
      self(rig, 0x41);
      assert.equal(rig.acknowledge(), 0x41);
      assert.equal(inService(rig), 2);
      end(rig);
      assert.equal(inService(rig), 0);
    });
  });

  it('moves to another address and refuses reserved bits of IA32_APIC_BASE', () => {
    const rig = createRig(),
      { localApic } = rig.devices;
    for (const [low, high] of [
      [0xfee00d00, 0],
      [0xfee00901, 0],
      [0xfee00900, 1],
    ]) {
      assert.equal(localApic.setBase(low, high), false);
    }
    assert.equal(localApic.setBase(0xd0000800 | 0, 0), true);
    assert.equal(localApic.base, 0xd0000900, 'the bootstrap processor stays one');
    assert.equal(rig.bus.memoryRead(0xd0000030, 4), 0x50014);
    assert.equal(rig.bus.memoryOwner(APIC), null);
  });

  it('delivers by priority: requests above what is in service and the task priority', () => {
    const rig = createRig();
    self(rig, 0x41);
    self(rig, 0x52);
    self(rig, 0x53);
    assert.equal(read(rig, 0x220), (1 << 1) | (1 << 0x12) | (1 << 0x13));
    assert.equal(rig.acknowledge(), 0x53);
    assert.deepEqual([rig.intr, read(rig, 0xa0)], [false, 0x50], 'of the same class, lower ones wait');
    end(rig);
    assert.equal(rig.intr, true);
    write(rig, 0x80, 0x5f);
    assert.deepEqual([rig.intr, read(rig, 0xa0)], [false, 0x5f]);
    write(rig, 0x80, 0x40);
    assert.equal(rig.acknowledge(), 0x52);
    end(rig);
    assert.equal(rig.intr, false);
    write(rig, 0x80, 0);
    assert.equal(rig.acknowledge(), 0x41);
    assert.equal(read(rig, 0x120), 2);
  });

  it('gives the spurious vector when a request was taken back by the task priority', () => {
    const rig = createRig();
    self(rig, 0x41);
    write(rig, 0x80, 0xf0);
    assert.equal(rig.acknowledge(), 0xff);
    assert.equal(read(rig, 0x120), 0, 'which is not put into service');
    write(rig, 0x80, 0);
    assert.equal(rig.acknowledge(), 0x41);
  });

  it('sends messages to itself by shorthand, number and logical address, NMIs too', () => {
    const rig = createRig();
    const sent = (high: number, low: number): number => {
      write(rig, 0x310, high);
      write(rig, 0x300, low);
      if (!rig.intr) return -1;
      const vector = rig.acknowledge();
      end(rig);
      return vector;
    };
    assert.deepEqual([sent(0, 0x41), sent(1 << 24, 0x41), sent(0xff << 24, 0x42)], [0x41, -1, 0x42]);
    assert.deepEqual([sent(0, 0x80043), sent(0, 0xc0043)], [0x43, -1], 'all, and all but itself');
    write(rig, 0xd0, 0x02 << 24);
    assert.deepEqual([sent(0x03 << 24, 0x844), sent(0x04 << 24, 0x844)], [0x44, -1], 'flat');
    write(rig, 0xe0, 0x0fffffff);
    write(rig, 0xd0, 0x31 << 24);
    assert.deepEqual([sent(0x35 << 24, 0x845), sent(0x21 << 24, 0x845), sent(0x32 << 24, 0x845)], [0x45, -1, -1], 'clusters');
    sent(0, 0x40400);
    assert.deepEqual(rig.pins, ['nmi']);
  });

  it('reports wrong vectors and registers in ESR when it is written, and by its interrupt', () => {
    const rig = createRig();
    write(rig, 0x370, 0x61);
    self(rig, 0x0f);
    assert.equal(rig.acknowledge(), 0x61);
    end(rig);
    assert.equal(read(rig, 0x280), 0);
    write(rig, 0x280, 0);
    assert.equal(read(rig, 0x280), 0x20);
    read(rig, 0x3f0);
    write(rig, 0x280, 0);
    assert.equal(read(rig, 0x280), 0x80);
    write(rig, 0x280, 0);
    assert.equal(read(rig, 0x280), 0);
  });

  it('masks its entries while software disables it', () => {
    const rig = createRig();
    write(rig, 0xf0, 0xff);
    write(rig, 0x370, 0x61);
    assert.deepEqual([read(rig, 0x350), read(rig, 0x370)], [0x10700, 0x10061]);
    self(rig, 0x41);
    assert.equal(rig.intr, false);
  });

  it('counts down once, in cycles divided as asked', () => {
    const rig = createRig();
    write(rig, 0x320, 0x30);
    write(rig, 0x3e0, 0x0b);
    write(rig, 0x380, 100);
    rig.run(40);
    assert.deepEqual([read(rig, 0x390), rig.intr], [60, false]);
    write(rig, 0x3e0, 0x00);
    assert.equal(read(rig, 0x390), 60, 'another divisor keeps the count');
    rig.run(119);
    assert.deepEqual([read(rig, 0x390), rig.intr], [1, false]);
    rig.run(1);
    assert.deepEqual([read(rig, 0x390), rig.acknowledge()], [0, 0x30]);
    rig.run(1000);
    end(rig);
    assert.equal(rig.intr, false);
  });

  it('counts periodically, also past many ends at once, and stops when zero is written', () => {
    const rig = createRig();
    write(rig, 0x3e0, 0x0b);
    write(rig, 0x320, 0x20030);
    write(rig, 0x380, 1000);
    for (let n = 0; n < 3; n++) {
      rig.run(1000);
      assert.equal(rig.acknowledge(), 0x30);
      end(rig);
    }
    rig.jump(1_000_000_250);
    assert.deepEqual([read(rig, 0x390), rig.acknowledge()], [750, 0x30]);
    end(rig);
    write(rig, 0x380, 0);
    rig.run(5000);
    assert.deepEqual([rig.intr, rig.timers.nextDeadline() > rig.now], [false, true]);
  });

  it('waits for a value of the time-stamp counter in deadline mode only', () => {
    const rig = createRig(),
      { localApic } = rig.devices;
    localApic.deadline = 50;
    assert.equal(localApic.deadline, 0);
    write(rig, 0x320, 0x40030);
    localApic.deadline = 500;
    write(rig, 0x380, 7);
    assert.deepEqual([localApic.deadline, read(rig, 0x380)], [500, 0], 'the initial count cannot be written');
    rig.run(500);
    assert.deepEqual([rig.acknowledge(), localApic.deadline], [0x30, 0]);
    end(rig);
    localApic.deadline = 1;
    rig.run(0);
    assert.equal(rig.intr, true, 'a deadline that has passed is due');
  });
});

describe('messages of PCI functions', () => {
  it('reach the processor that the address names, and memory where the address is of none', () => {
    const rig = createRig();
    rig.pci.message(APIC, 0x41);
    assert.deepEqual([rig.intr, rig.acknowledge()], [true, 0x41]);
    end(rig);
    rig.pci.message(APIC + (1 << 12), 0x42);
    assert.equal(rig.intr, false);
    rig.pci.message(APIC + (0xff << 12) + 4, 0x43);
    assert.equal(rig.acknowledge(), 0x43);
    rig.pci.message(0x1000, 0x12345678);
    assert.deepEqual([...rig.ram.subarray(0x1000, 0x1004)], [0x78, 0x56, 0x34, 0x12]);
  });

  it('are interrupts that masked controllers do not stop', () => {
    const rig = createRig({ cards: [{ device: 'virtio-rng-pci', properties: {} }] });
    rig.bus.memoryWrite(APIC + 0x350, 0x10700, 4);
    assert.equal(rig.interruptsMasked(), true);
    rig.pci.write((3 << 11) | 0x9a, 0x8000, 2);
    assert.equal(rig.interruptsMasked(), false);
  });
});

describe('I/O APIC', () => {
  it('has 24 masked inputs', () => {
    const rig = createRig();
    rig.bus.memoryWrite(IO_APIC, 1, 4);
    assert.equal(rig.bus.memoryRead(IO_APIC + 0x10, 4), 0x170011);
    for (let input = 0; input < 24; input++) assert.equal(entry(rig, input), 0x10000);
    rig.bus.memoryWrite(IO_APIC, 0, 1);
    rig.bus.memoryWrite(IO_APIC + 0x10, 0x0f000000, 4);
    assert.equal(rig.bus.memoryRead(IO_APIC + 0x10, 4), 0x0f000000);
  });

  it('sends edges of the ISA lines, the timer from input 2, and forgets those of masked inputs', () => {
    const rig = createRig();
    redirect(rig, 2, 0x51);
    redirect(rig, 4, 0x10052);
    rig.out(0x43, 0x30);
    rig.out(0x40, 100, 0);
    rig.run(1000 * MICROSECOND);
    assert.equal(rig.acknowledge(), 0x51);
    end(rig);
    rig.out(0x3f9, 2);
    rig.out(0x3fc, 8);
    redirect(rig, 4, 0x52);
    assert.equal(rig.intr, false, 'the edge came while the input was masked');
  });

  it('holds a level until its interrupt ends, then sends it again while it stays', () => {
    const rig = createRig();
    redirect(rig, 16, 0xa061);
    const pin = rig.pci.pin(1, 1);
    pin.set(true);
    assert.equal(entry(rig, 16), 0xe061);
    assert.equal(rig.acknowledge(), 0x61);
    assert.equal(read(rig, 0x1b0) >>> 1, 1, 'its trigger mode is level');
    assert.equal(rig.intr, false);
    end(rig);
    assert.equal(rig.acknowledge(), 0x61);
    pin.set(false);
    end(rig);
    assert.deepEqual([rig.intr, entry(rig, 16)], [false, 0xa061]);
    redirect(rig, 16, 0x1a061);
    pin.set(true);
    assert.equal(rig.intr, false);
    redirect(rig, 16, 0xa061);
    assert.equal(rig.intr, true, 'a level is there when its input is unmasked');
  });

  it('reaches only the processor that an entry names', () => {
    const rig = createRig();
    redirect(rig, 17, 0xa062, 3);
    rig.pci.pin(1, 2).set(true);
    assert.equal(rig.intr, false);
    redirect(rig, 17, 0xa062, 0);
    assert.equal(rig.acknowledge(), 0x62);
  });
});

describe('interrupt controllers together', () => {
  it("deliver the local APIC's own before those of the 8259 pair", () => {
    const rig = createRig();
    setUpPic(rig, [4]);
    rig.devices.pic.irq(4).set(true);
    self(rig, 0x41);
    assert.deepEqual([rig.acknowledge(), rig.intr, rig.acknowledge()], [0x41, true, 0x0c]);
  });

  it('say whether anything can interrupt', () => {
    const rig = createRig();
    write(rig, 0x360, 0x400);
    assert.equal(rig.interruptsMasked(), true, 'an NMI at LINT1 comes from nowhere');
    setUpPic(rig, [0]);
    assert.equal(rig.interruptsMasked(), false);
    write(rig, 0x350, 0x10700);
    assert.equal(rig.interruptsMasked(), true);
    write(rig, 0x320, 0x30);
    assert.equal(rig.interruptsMasked(), false);
    write(rig, 0x320, 0x10030);
    redirect(rig, 2, 0x51);
    assert.equal(rig.interruptsMasked(), false);
    write(rig, 0xf0, 0xff);
    assert.equal(rig.interruptsMasked(), true);
  });
});
