import { strict as assert } from 'node:assert';
import { createRig, MICROSECOND, MILLISECOND, type Rig, SECOND, setUpPic } from './rig.ts';

function get(rig: Rig, register: number): number {
  rig.out(0x70, register);
  return rig.in(0x71);
}
function set(rig: Rig, register: number, value: number): void {
  rig.out(0x70, register);
  rig.out(0x71, value);
}
/** Century, year, month, date, weekday, hours, minutes, seconds as hexadecimal digits. */
function reading(rig: Rig): string {
  return [0x32, 9, 8, 7, 6, 4, 2, 0].map((register) => get(rig, register).toString(16).padStart(2, '0')).join(' ');
}
function setTime(rig: Rig, text: string): void {
  const values = text.split(' ').map((value) => Number.parseInt(value, 16));
  set(rig, 0x0b, get(rig, 0x0b) | 0x80);
  for (const [index, register] of [0x32, 9, 8, 7, 6, 4, 2, 0].entries()) set(rig, register, values[index]);
  set(rig, 0x0b, get(rig, 0x0b) & 0x7f);
}

describe('MC146818', () => {
  it("starts at the machine's start of time, in BCD and 24 hours, and counts seconds", () => {
    const rig = createRig({ startOfTime: Date.UTC(2024, 1, 28, 23, 59, 58) });
    assert.equal(reading(rig), '20 24 02 28 04 23 59 58');
    rig.run(SECOND - 1);
    assert.equal(reading(rig), '20 24 02 28 04 23 59 58');
    rig.run(1);
    assert.equal(reading(rig), '20 24 02 28 04 23 59 59');
    rig.run(SECOND);
    assert.equal(reading(rig), '20 24 02 29 05 00 00 00');
    rig.run(86400 * SECOND);
    assert.equal(reading(rig), '20 24 03 01 06 00 00 00');
  });

  it('begins inside the second when the start of time does', () => {
    const rig = createRig({ startOfTime: Date.UTC(2024, 0, 1) + 750 });
    rig.run(SECOND / 4 - MILLISECOND);
    assert.equal(get(rig, 0), 0);
    rig.run(2 * MILLISECOND);
    assert.equal(get(rig, 0), 1);
  });

  it('carries over year and century', () => {
    const rig = createRig({ startOfTime: Date.UTC(1999, 11, 31, 23, 59, 59) });
    rig.run(SECOND);
    assert.equal(reading(rig), '20 00 01 01 07 00 00 00');
  });

  it('counts in binary and in 12 hours when told', () => {
    const rig = createRig({ startOfTime: Date.UTC(2024, 5, 1, 13, 45, 30) });
    set(rig, 0x0b, 0x04);
    setTime(rig, '14 18 06 01 07 0b 3b 3b');
    rig.run(SECOND);
    assert.equal(reading(rig), '14 18 06 01 07 8c 00 00', '11:59:59 AM is followed by 12 PM');
    setTime(rig, '14 18 06 01 07 8b 3b 3b');
    rig.run(SECOND);
    assert.equal(reading(rig), '14 18 06 02 01 0c 00 00', '11:59:59 PM is followed by 12 AM');
    set(rig, 0x0b, 0x00);
    setTime(rig, '20 24 06 01 07 89 59 59');
    rig.run(SECOND);
    assert.equal(reading(rig), '20 24 06 01 07 90 00 00', '10 PM in BCD');
  });

  it('stands still while SET is up, and SET clears UIE', () => {
    const rig = createRig({ startOfTime: Date.UTC(2024, 0, 1) });
    set(rig, 0x0b, 0x92);
    assert.equal(get(rig, 0x0b), 0x82);
    rig.run(5 * SECOND);
    assert.equal(get(rig, 0), 0);
    set(rig, 0x0b, 0x02);
    rig.run(2 * SECOND);
    assert.equal(get(rig, 0), 2);
  });

  it('shows UIP for 2.2 ms before each update, at no other time and not with SET', () => {
    const rig = createRig({ startOfTime: Date.UTC(2024, 0, 1) });
    rig.run(SECOND - 2300 * MICROSECOND);
    assert.equal(get(rig, 0x0a) & 0x80, 0);
    rig.run(100 * MICROSECOND);
    assert.equal(get(rig, 0x0a) & 0x80, 0x80);
    set(rig, 0x0b, 0x82);
    assert.equal(get(rig, 0x0a) & 0x80, 0);
    set(rig, 0x0b, 0x02);
    rig.run(2200 * MICROSECOND);
    assert.equal(get(rig, 0x0a) & 0x80, 0);
  });

  it('a divider reset stops the clock; half a second after its release comes the first update', () => {
    const rig = createRig({ startOfTime: Date.UTC(2024, 0, 1) });
    rig.run(SECOND / 3);
    set(rig, 0x0a, 0x76);
    rig.run(3 * SECOND);
    assert.equal(get(rig, 0), 0);
    set(rig, 0x0a, 0x26);
    rig.run(SECOND / 2 - MILLISECOND);
    assert.equal(get(rig, 0), 0);
    rig.run(2 * MILLISECOND);
    assert.equal(get(rig, 0), 1);
    rig.run(SECOND);
    assert.equal(get(rig, 0), 2);
  });

  it('interrupts after every update when enabled, until register C is read', () => {
    const rig = createRig();
    setUpPic(rig, [8]);
    set(rig, 0x0b, 0x12);
    rig.run(SECOND);
    assert.equal(rig.intr, true);
    assert.equal(rig.devices.pic.acknowledge(), 0x70);
    rig.out(0xa0, 0x20);
    rig.out(0x20, 0x20);
    rig.run(SECOND);
    assert.equal(rig.intr, false, 'the line is still up');
    assert.equal(get(rig, 0x0c) & 0xb0, 0x90);
    assert.equal(get(rig, 0x0c), 0);
    rig.run(SECOND);
    assert.equal(rig.intr, true);
  });

  it('alarm: at the time of day, and every second, minute or hour with C0h and above', () => {
    const rig = createRig({ startOfTime: Date.UTC(2024, 0, 1, 10, 0, 0) });
    setUpPic(rig, [8]);
    const nextAlarm = (hours: number, minutes: number, seconds: number): string => {
      setTime(rig, '20 24 01 01 02 10 00 00');
      set(rig, 5, hours);
      set(rig, 3, minutes);
      set(rig, 1, seconds);
      get(rig, 0x0c);
      set(rig, 0x0b, 0x22);
      for (let step = 0; step < 90000 && (get(rig, 0x0c) & 0x20) === 0; step++) rig.run(SECOND);
      return [4, 2, 0].map((register) => get(rig, register).toString(16).padStart(2, '0')).join(':');
    };
    assert.equal(nextAlarm(0x11, 0x02, 0x03), '11:02:03');
    assert.equal(nextAlarm(0xff, 0x02, 0x03), '10:02:03');
    assert.equal(nextAlarm(0xff, 0xc0, 0x03), '10:00:03');
    assert.equal(nextAlarm(0xff, 0xff, 0xff), '10:00:01');
  });

  it('alarm: is noticed however long nobody looks, and interrupts when it happens', () => {
    const rig = createRig({ startOfTime: Date.UTC(2024, 0, 1, 10, 0, 0) });
    setUpPic(rig, [8]);
    set(rig, 5, 0x12);
    set(rig, 3, 0);
    set(rig, 1, 0);
    rig.run(7199 * SECOND);
    assert.equal(get(rig, 0x0c) & 0x20, 0);
    rig.run(30 * 86400 * SECOND);
    assert.equal(get(rig, 0x0c) & 0x20, 0x20);
    set(rig, 0x0b, 0x22);
    assert.equal(rig.intr, false);
    rig.run(SECOND);
    assert.equal(rig.intr, true);
    get(rig, 0x0c);
    rig.run(86399 * SECOND);
    assert.equal(rig.intr, false);
    rig.run(SECOND);
    assert.equal(rig.intr, true);
  });

  it('periodic interrupt: at the rate of register A, 1024 Hz with rate 6', () => {
    const rig = createRig();
    setUpPic(rig, [8]);
    const perSecond = (rate: number): number => {
      set(rig, 0x0a, 0x20 | rate);
      set(rig, 0x0b, 0x42);
      get(rig, 0x0c);
      let interrupts = 0;
      const end = rig.now + SECOND;
      while (rig.now < end) {
        rig.run(Math.min(end, rig.timers.nextDeadline()) - rig.now);
        if (get(rig, 0x0c) & 0x40) interrupts++;
      }
      return interrupts;
    };
    assert.equal(perSecond(6), 1024);
    assert.equal(perSecond(15), 2);
    assert.equal(perSecond(3), 8192);
    assert.equal(perSecond(1), 256);
    assert.equal(perSecond(2), 128);
    assert.equal(perSecond(0), 0);
  });

  it('sets PF without the interrupt too, and no event is waiting then', () => {
    const rig = createRig();
    assert.equal(rig.timers.nextDeadline(), Infinity);
    rig.run(10 * MILLISECOND);
    assert.equal(get(rig, 0x0c), 0x40);
    assert.equal(get(rig, 0x0c), 0);
  });

  it('register D says valid; C and D cannot be written; port 70h cannot be read', () => {
    const rig = createRig();
    set(rig, 0x0d, 0);
    set(rig, 0x0c, 0xff);
    assert.equal(get(rig, 0x0d), 0x80);
    assert.equal(get(rig, 0x0c), 0);
    assert.equal(rig.in(0x70), 0xff);
  });

  it('bit 7 of the index masks NMI and is no part of it', () => {
    const rig = createRig();
    rig.out(0x70, 0x80 | 0x0d);
    assert.equal(rig.devices.rtc.nmiMasked, true);
    assert.equal(rig.in(0x71), 0x80);
    rig.out(0x70, 0x0d);
    assert.equal(rig.devices.rtc.nmiMasked, false);
  });

  it('a reset drops interrupts and keeps time and memory', () => {
    const rig = createRig({ startOfTime: Date.UTC(2024, 0, 1) });
    setUpPic(rig, [8]);
    set(rig, 0x40, 0x5a);
    set(rig, 0x0b, 0x72);
    rig.run(3 * SECOND);
    assert.equal(rig.intr, true);
    rig.devices.rtc.reset();
    assert.equal(rig.intr, false);
    assert.deepEqual([get(rig, 0), get(rig, 0x40), get(rig, 0x0b)], [3, 0x5a, 0x02]);
  });

  it('goes on from dates that no calendar knows', () => {
    const rig = createRig();
    for (const text of ['ff ff ff ff ff ff ff ff', '20 23 02 31 00 23 59 59', '00 00 00 00 00 00 00 00']) {
      setTime(rig, text);
      rig.run(SECOND);
      assert.match(reading(rig), /^\d\d \d\d (0[1-9]|1[0-2]) [0-3]\d 0[1-7] [0-2]\d [0-5]\d [0-5]\d$/);
    }
  });
});
