// What comes between instructions: shadows, single step, RF, breakpoints, priorities (SDM volume 3, "Debug Exceptions",
// "Priority Among Concurrent Events").

import assert from 'node:assert/strict';
import { BOUNDARY, EVENT, PIN } from '../../src/runtime/events.ts';
import { NOT_REPEATING, S, VECTOR } from '../../src/translator/state.ts';
import { engine, protectedMode, r, raises, system } from './machine.ts';

const TF = 0x100,
  IF = 0x200,
  RF = 0x10000;
/** One instruction at EIP as the run loop runs it while events are pending. */
function instruction(action: () => void = () => {}): void {
  engine.debugBeforeInstruction(r[S.EIP]!);
  action();
  engine.debugAfterInstruction();
}
function pins(bits: number): void {
  r[S.PINS] = bits;
  engine.updateEvents();
}

describe('events', () => {
  beforeEach(protectedMode);
  it('nothing waits: the word is 0', () => {
    assert.equal(r[S.EVENTS], 0);
  });
  it('INTR counts with IF set only, NMI unless blocked, and NMI comes first', () => {
    pins(PIN.INTR);
    assert.equal(r[S.EVENTS], 0);
    engine.setFlags(IF);
    assert.deepEqual([r[S.EVENTS], engine.pending()], [EVENT.INTR, BOUNDARY.INTR]);
    pins(PIN.INTR | PIN.NMI);
    assert.equal(engine.pending(), BOUNDARY.NMI);
    pins(PIN.INTR | PIN.NMI | PIN.NMI_BLOCKED);
    assert.equal(engine.pending(), BOUNDARY.INTR);
  });
  it('STI delays an interrupt, not an NMI, by one instruction', () => {
    pins(PIN.INTR);
    instruction(() => system.setInterruptFlag());
    assert.equal(engine.pending(), BOUNDARY.NOTHING);
    pins(PIN.INTR | PIN.NMI);
    assert.equal(engine.pending(), BOUNDARY.NMI);
    pins(PIN.INTR);
    instruction();
    assert.equal(engine.pending(), BOUNDARY.INTR);
  });
  it('MOV SS delays interrupts, NMI and traps; a second MOV SS does not lengthen it', () => {
    engine.setFlags(IF);
    pins(PIN.INTR | PIN.NMI);
    r[S.DEBUG_PENDING] = 1;
    engine.updateEvents();
    instruction(() => system.shadowSs());
    assert.equal(engine.pending(), BOUNDARY.NOTHING);
    instruction(() => system.shadowSs());
    assert.equal(engine.pending(), BOUNDARY.DEBUG_TRAP);
  });
  it('MOV SS right after STI is protected all the same', () => {
    pins(PIN.INTR);
    instruction(() => system.setInterruptFlag());
    instruction(() => system.shadowSs());
    assert.equal(engine.pending(), BOUNDARY.NOTHING);
    instruction();
    assert.equal(engine.pending(), BOUNDARY.INTR);
  });
  it('TF traps after the instruction that began with it set', () => {
    engine.setFlags(TF);
    instruction(() => engine.setFlags(0));
    assert.deepEqual([r[S.DEBUG_PENDING], engine.pending()], [0x4000, BOUNDARY.DEBUG_TRAP]);
    r[S.DEBUG_PENDING] = 0;
    engine.updateEvents();
    instruction(() => system.popFlags(TF, 32));
    assert.equal(r[S.DEBUG_PENDING], 0);
    instruction();
    assert.equal(r[S.DEBUG_PENDING], 0x4000);
  });
  it('TF does not trap after MOV SS', () => {
    engine.setFlags(TF);
    instruction(() => system.shadowSs());
    assert.equal(r[S.DEBUG_PENDING], 0);
    instruction();
    assert.equal(r[S.DEBUG_PENDING], 0x4000);
  });
  it('RF lasts one instruction and keeps an execution breakpoint from firing', () => {
    system.writeDebug(0, 0x5000);
    system.writeDebug(7, 1);
    assert.ok(r[S.EVENTS]! & EVENT.BREAKPOINT);
    raises(() => instruction(), VECTOR.DB);
    engine.setFlags(RF);
    instruction();
    assert.equal(engine.getFlags() & RF, 0);
    raises(() => instruction(), VECTOR.DB);
    r[S.EIP] = 0x5001;
    instruction();
  });
  it('a breakpoint on a repeated string instruction fires once', () => {
    system.writeDebug(0, 0x5000);
    system.writeDebug(7, 1);
    raises(() => instruction(), VECTOR.DB);
    engine.setFlags(RF);
    instruction(() => (r[S.REPEATING] = 0x5000));
    assert.equal(engine.getFlags() & RF, 0);
    instruction();
    instruction(() => (r[S.REPEATING] = NOT_REPEATING));
    raises(() => instruction(), VECTOR.DB);
  });
  it('an armed breakpoint keeps the run loop at one instruction at a time', () => {
    system.writeDebug(7, 0x10001);
    assert.equal(r[S.EVENTS], EVENT.BREAKPOINT);
    instruction();
    assert.equal(r[S.EVENTS], EVENT.BREAKPOINT);
  });
  it('data breakpoints: writes, reads and writes, lengths and alignment', () => {
    system.writeDebug(0, 0x6000);
    system.writeDebug(1, 0x6010);
    system.writeDebug(7, 0x00f00000 | 0x000d0000 | 5);
    const hits = (action: () => void): number => {
      r[S.DEBUG_PENDING] = 0;
      action();
      return r[S.DEBUG_PENDING]!;
    };
    assert.equal(
      hits(() => engine.W8(0x6003, 0)),
      1,
    );
    assert.equal(
      hits(() => engine.W8(0x6004, 0)),
      0,
    );
    assert.equal(
      hits(() => engine.W32(0x5ffd, 0)),
      1,
    );
    assert.equal(
      hits(() => engine.R32(0x6000)),
      0,
    );
    assert.equal(
      hits(() => engine.R16(0x6012)),
      2,
    );
    assert.equal(
      hits(() => engine.W16(0x6013, 0)),
      2,
    );
    assert.equal(
      hits(() => engine.R8(0x600f)),
      0,
    );
    assert.equal(engine.tw[6], 0xfff);
    system.writeDebug(7, 0);
    assert.equal(
      hits(() => engine.W8(0x6003, 0)),
      0,
    );
    assert.notEqual(engine.tw[6], 0xfff);
  });
  it('I/O breakpoints need CR4.DE', () => {
    system.writeDebug(0, 0x60);
    system.writeDebug(7, 0x20001);
    system.portIn(0x60, 8);
    assert.equal(r[S.DEBUG_PENDING], 0);
    system.writeControl(4, 8);
    system.portIn(0x61, 8);
    assert.equal(r[S.DEBUG_PENDING], 0);
    system.portOut(0x5f, 0, 16);
    assert.equal(r[S.DEBUG_PENDING], 1);
  });
});
