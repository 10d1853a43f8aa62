// What documents say that the program knows better: tables of options, exits and devices, an example of a region. They must
// be as the program makes them; CP86_UPDATE=1 writes them anew.

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { GUESTS } from '../scripts/guestTable.ts';
import { root } from '../scripts/root.ts';
import { CPU_MODELS, cpuModel } from '../src/runtime/cpuModels.ts';
import { EXITS, type ExitRow } from '../src/runtime/exits.ts';
import { ENGINE_HEADER } from '../src/translator/forms.ts';
import { MODE } from '../src/translator/mode.ts';
import { translateRegion } from '../src/translator/region.ts';
import type { Device } from '../src/vmm/device.ts';
import { CARDS } from '../src/vmm/devices/cards.ts';
import { createDevices, DEVICES } from '../src/vmm/devices/index.ts';
import { OPTIONS } from '../src/vmm/node/options.ts';
import { createTimers } from '../src/vmm/timers.ts';
import { snippetNames, table, withSnippets } from './support/snippets.ts';
import { lines } from './support/tour.ts';
import { DIFFERENCES } from './vmm/bootLogDifferences.ts';

const hex = (value: number): string => `${value.toString(16).toUpperCase()}h`;
const ranges = (list: readonly { readonly first: number; readonly last: number }[] | undefined): string =>
  (list ?? []).map(({ first, last }) => (first === last ? hex(first) : `${hex(first)}-${hex(last)}`)).join(', ');

function options(n: number): string {
  return table(
    ['option', 'meaning'],
    OPTIONS[n]!.rows.map(({ name, argument, help }) => [`\`${name}${argument ? ` ${argument}` : ''}\``, help]),
  );
}
function exits(): string {
  const rows = Object.entries(EXITS) as [string, ExitRow][];
  return table(
    ['name', 'number', 'title', 'kvm_exit', 'what it means', 'qualification and detail'],
    rows.map(([name, { number, title, kvm, about, fields, ofHost }]) => [
      `\`${name}\``,
      number === null ? '' : String(number),
      title,
      kvm ?? '',
      ofHost ? `${about} (Of the host.)` : about,
      fields.filter(Boolean).join(', '),
    ]),
  );
}
function processors(): string {
  return table(
    ['name', 'processor', 'features'],
    Object.entries(CPU_MODELS).map(([name, { about }]) => [`\`${name}\``, about, [...cpuModel(name).has].sort().join(' ')]),
  );
}
function devices(): string {
  const { devices: set } = createDevices({
    timers: createTimers(() => 0),
    ram: new Uint8Array(1 << 20),
    drives: [],
    cards: [],
    send() {},
    rom: new Uint8Array(1 << 16),
    dma: { read: (_address, length) => new Uint8Array(length), write() {} },
    shadow: { set() {}, write() {} },
    romIsShadowed: true,
    firmwareItems: { ram: 0, files: new Map() },
    videoRom: null,
    debugconPort: null,
    hasLocalApic: true,
    startOfTime: 0,
    videoMemory: { bytes: new Uint8Array(1 << 18), window: () => ({ place() {} }), written() {}, takeWritten: () => [] },
    debugExit: { port: 0x501, size: 2 },
    channel: () => ({ write() {} }),
    pins: { reset() {}, a20() {}, powerOff() {}, nmi() {}, ignne() {}, intr() {} },
  });
  return table(
    ['name', 'device', 'ports', 'memory'],
    DEVICES.map(({ name, title }) => {
      const device: Device = set[name];
      return [`\`${name}\``, title, ranges(device.ports), ranges(device.memory)];
    }),
  );
}
function cards(): string {
  return table(
    ['device', 'what it is', 'bus', 'properties'],
    Object.entries(CARDS).map(([name, { title, bus, properties }]) => [
      `\`${name}\``,
      title,
      bus.toUpperCase(),
      Object.entries(properties)
        .map(([property, { initial, help }]) => `\`${property}\`: ${help}${initial === undefined ? '' : ` (${initial})`}`)
        .join('; '),
    ]),
  );
}
function guests(): string {
  return table(
    ['name', 'system', 'way', 'shows', 'options of `cp86`'],
    GUESTS.map(({ name, system, way, shows, types, trouble, options }) => [
      `\`${name}\``,
      system,
      way,
      trouble ?? `\`${shows}\`${types ? ` after ${types.keys}` : ''}`,
      `\`${options}\``,
    ]),
  );
}
/** mov ecx, ebx; dec ecx; jnz to it; dec eax; jnz to the start; ret. */
const LOOPS = [0x89, 0xd9, 0x49, 0x75, 0xfd, 0x48, 0x75, 0xf8, 0xc3];
function loops(): string {
  const mode = MODE.CODE32 | MODE.STACK32 | MODE.FLAT_CS | MODE.FLAT_DS | MODE.FLAT_ES | MODE.FLAT_SS | MODE.PROTECTED;
  const region = translateRegion({
    byte: (n) => LOOPS[n] ?? 0,
    mode,
    entry: 0,
    executed: (n) => n < LOOPS.length,
    arrivals: () => [],
    taken: () => false,
    breakpoints: new Set(),
    separate: false,
  })!;
  return lines(region.source.slice(ENGINE_HEADER.length));
}

const DOCUMENTS: Readonly<Record<string, ReadonlyMap<string, string>>> = {
  'docs/command-line.md': new Map([
    ['options of QEMU', options(0)],
    ['options of our own', options(1)],
    ['processors', processors()],
  ]),
  'docs/exits.md': new Map([['exits', exits()]]),
  'docs/devices.md': new Map([
    ['devices', devices()],
    ['cards', cards()],
    [
      'boot logs',
      table(
        ['lines', 'why'],
        DIFFERENCES.map(({ lines, why }) => [lines, why]),
      ),
    ],
  ]),
  'docs/guests.md': new Map([['guests', guests()]]),
  'docs/translator.md': new Map([['region of two loops', loops()]]),
};

describe('documents made from the program', () => {
  for (const [file, snippets] of Object.entries(DOCUMENTS)) {
    it(`${file} says what the program does`, () => {
      const path = join(root, file),
        text = readFileSync(path, 'utf8'),
        now = withSnippets(text, snippets);
      if (process.env.CP86_UPDATE === '1' && now !== text) writeFileSync(path, now);
      else assert.equal(text, now);
      assert.deepEqual(snippetNames(text).sort(), [...snippets.keys()].sort());
    });
  }
});
