// Builds guests: the one place where processor, memory, devices, firmware, clock and journal are put together from a checked
// configuration. One builder per worker: its guests share the arena and the processor's generated code.

import { cpuModel, DEFAULT_CPU } from '../runtime/cpuModels.ts';
import { createProcessor, type Processor } from '../runtime/processor.ts';
import { decode } from '../translator/decode.ts';
import { format } from '../translator/format.ts';
import { INVALID, TOO_LONG } from '../translator/instructions/index.ts';
import { Arena } from './arena.ts';
import { Drive } from './block/drive.ts';
import { loadBootSource } from './boot/load.ts';
import { Breakpoints } from './breakpoints.ts';
import { Clock } from './clock.ts';
import { checkConfiguration, configurationHash } from './configuration.ts';
import type { CharacterBackend, Device } from './device.ts';
import { backendOf, cardOf, cardsOf, type Peer } from './devices/cards.ts';
import { cardName, createDevices, type DeviceEnvironment, type Devices } from './devices/index.ts';
import { ExitLog } from './exitLog.ts';
import { createFirmwareMachine } from './firmware/adapter.ts';
import { initialise, romImage, serveVmcall } from './firmware/bios.ts';
import { firmwareItems, prepareCmos } from './firmware/external.ts';
import { setMultibootMode } from './firmware/multibootVideo.ts';
import { ROM_ADDRESS, RSDP_ADDRESS, RSDP_BYTES } from './firmware/symbols.ts';
import type { Guest, Signals } from './guest.ts';
import type { MachineBuilder, MachineServices } from './hypervisor.ts';
import { place } from './inspect.ts';
import { Player, Recorder, readJournal } from './journal.ts';
import { LinuxKernel } from './linux/kernel.ts';
import { createMachineHost, type HostParts } from './machineHost.ts';
import { createShadow, createVideoMemory, installRom } from './machineMemory.ts';
import { Switches } from './net/switch.ts';
import type { Channel } from './outbox.ts';
import { Pacing } from './pacing.ts';
import type { GuestConfig, GuestId } from './protocol.ts';
import { SerialBacklog } from './serialBacklog.ts';
import { createTimers } from './timers.ts';

/** RAM of all guests of a worker, unless the host has less. */
export const DEFAULT_ARENA = 1 << 30;
const LEAST_ARENA = 64 << 20;

/** Memory of the display adapter, and adapters for which a worker has room besides its guests' RAM. */
const VIDEO_BYTES = 16 << 20,
  ADAPTERS = 16;

/** Adapter ROMs would be at C0000h; none is there, and the firmware's ROM ends the first megabyte. */
const SHADOW = 0xc0000,
  SHADOW_BYTES = 0x40000;

/** `arenaBytes`: RAM of all guests, without what display adapters have; halved until the host gives that much. The arena is made with the first guest. */
export function createMachineBuilder({ arenaBytes }: { readonly arenaBytes: number }): MachineBuilder {
  const switches = new Switches();
  let worker: { processor: Processor; arena: Arena } | null = null;

  return (id, config, services) => {
    checkConfiguration(config);
    const drives: Drive[] = [];
    try {
      for (const drive of config.drives) drives.push(new Drive(drive, services.platform.files));
      return build(id, config, services, drives);
    } catch (error) {
      for (const drive of drives) drive.close();
      throw error;
    }
  };

  function build(id: GuestId, config: GuestConfig, services: MachineServices, drives: readonly Drive[]): Guest {
    const journal = config.replay ? readJournal(config.replay) : null;
    const configuration = configurationHash(config, drives);
    if (journal && journal.configuration !== configuration)
      throw new RangeError('The journal was recorded with other images or another configuration.');
    const cardConfigs = cardsOf(config),
      virtioDevices = cardConfigs.filter((card) => cardOf(card).kind.bus === 'virtio-mmio').length;
    const model = cpuModel(config.cpu ?? DEFAULT_CPU),
      hasLocalApic = model.has.has('apic');
    const rom = romImage({ memory: config.memory, virtioDevices, localApic: hasLocalApic }),
      shadow = shadowImage(rom),
      rsdp = RSDP_ADDRESS - ROM_ADDRESS;
    const image = loadBootSource(config.boot, drives, config.memory, rom.subarray(rsdp, rsdp + RSDP_BYTES));

    worker ??= createWorker(arenaBytes);
    const { processor, arena } = worker;
    const { bios = null } = config,
      videoBytes = config.vga === 'none' ? 0 : VIDEO_BYTES,
      further = videoBytes + (bios?.rom.length ?? 0),
      offset = arena.allocate(config.memory + further);

    const signals: Signals = {
      reset: false,
      powerOff: null,
      wake: false,
      stop: null,
      tripleFault: null,
      deliveries: 0,
      kernelMayHaveStarted: false,
      horizon: Infinity,
      turnEnd: Infinity,
    };
    const host = createMachineHost(() => parts);
    const startOfTime = journal?.startOfTime ?? config.startOfTime;
    const cpu = processor.createCpu({
      host,
      offset,
      bytes: config.memory,
      further,
      tier: config.tier,
      model,
      startOfTime,
    });
    const clock = new Clock(() => cpu.ticks);
    const timers = createTimers(() => clock.now());
    const exits = new ExitLog(id, () => place(guest));
    const kernel = new LinuxKernel(cpu),
      breakpoints = new Breakpoints((symbol) => kernel.address(symbol));
    const channels = new Map<string, CharacterBackend>(
      (['serial0', 'serial1', 'debugcon', 'virtconsole'] satisfies Channel[]).map((name) => [
        name,
        { write: (byte) => services.output(name, byte) },
      ]),
    );
    // A replay has no peers: what they said is in the journal.
    const peers = new Map<string, Peer>();
    const environment: DeviceEnvironment = {
      cards: cardConfigs,
      send: (card, bytes) => peers.get(card)?.send(bytes),
      timers,
      ram: cpu.ram,
      drives,
      dma: {
        read(address, length) {
          const bytes = new Uint8Array(length).fill(0xff);
          bytes.set(cpu.readPhysical(address, length));
          return bytes;
        },
        write: (address, bytes) => void cpu.writePhysical(address, bytes, false),
      },
      shadow: bios ? installRom(cpu.memory, { first: videoBytes, bytes: bios.rom.length }, bios.rom) : createShadow(cpu.memory),
      rom: bios?.rom ?? rom,
      romIsShadowed: bios === null,
      firmwareItems: bios && firmwareItems(config.memory),
      hasLocalApic,
      startOfTime,
      videoMemory: videoBytes === 0 ? null : createVideoMemory(cpu.memory, { first: 0, bytes: videoBytes }),
      videoRom: bios?.vgaRom ?? null,
      debugconPort: config.debugconPort ?? null,
      debugExit: config.debugExit,
      channel(name) {
        const channel = channels.get(name);
        if (!channel) throw new Error(`There is no channel '${name}'.`);
        return channel;
      },
      pins: {
        reset() {
          signals.reset = true;
          cpu.requestStop();
        },
        a20: (open) => cpu.setA20(open),
        powerOff,
        nmi() {
          signals.wake = true;
          cpu.nmi();
        },
        ignne: (level) => cpu.setIgnne(level),
        intr(level) {
          if (level) signals.wake = true;
          cpu.setIntr(level);
        },
      },
    };
    let set: ReturnType<typeof createDevices>;
    try {
      set = createDevices(environment);
    } catch (error) {
      // The debug exit's port is another device's, or a card's drive is missing.
      arena.free(offset);
      throw error;
    }
    const { devices, bus, cards } = set;
    const { localApic } = devices;
    const everyDevice = new Map<string, Device>([...Object.entries(devices), ...cards]);
    function powerOff(status: number | null): void {
      signals.powerOff ??= { status };
      cpu.requestStop();
    }

    const firmware = createFirmwareMachine({
      cpu,
      drives,
      memory: config.memory,
      virtioDevices,
      powerOff,
      bootOrder: config.boot.kind === 'drives' ? config.boot.order : '',
      bus: {
        portRead: (port, size) => bus.portRead(port, size),
        portWrite: (port, value, size) => bus.portWrite(port, value, size),
        mmioRead: (address, size) => bus.memoryRead(address, size),
        mmioWrite: (address, value, size) => bus.memoryWrite(address, value, size),
      },
    });
    const parts: HostParts = {
      cpu,
      bus,
      clock,
      timers,
      exits,
      signals,
      kernelAwaited: () => breakpoints.waiting && !kernel.found,
      acknowledge: () => set.acknowledge(),
      localApic,
      ferr: (level) => devices.coprocessorError.ferr(level),
      firmware(linear) {
        if (bios) return null;
        const { physical } = cpu.translate(linear);
        return physical === null ? null : serveVmcall(firmware, physical);
      },
      now: () => services.platform.now(),
    };

    let isFirst = true;
    /** ROM, then the boot source's image on top of what the firmware's power-on work leaves. Another firmware does it all itself. */
    function restart(): void {
      cpu.reset();
      for (const device of everyDevice.values()) device.reset();
      signals.reset = false;
      signals.stop = null;
      kernel.forget();
      if (bios) {
        if (isFirst) prepareCmos(firmware);
        isFirst = false;
        return;
      }
      cpu.writePhysical(SHADOW, shadow);
      const registers = Object.entries(image.registers);
      if (registers.length > 0) initialise(firmware);
      for (const { address, bytes, length } of image.writes) {
        const whole = bytes.length === length ? bytes : new Uint8Array(length);
        if (whole !== bytes) whole.set(bytes);
        cpu.writePhysical(address, whole);
      }
      if (image.video) setMultibootMode(firmware, image.video);
      for (const [name, value] of registers) cpu.set(name, value);
    }

    const guest: Guest = {
      id,
      config,
      cpu,
      timers,
      clock,
      exits,
      signals,
      drives,
      interruptsMasked: () => set.interruptsMasked(),
      awaitsPeers: () => [...cards.values()].some((card) => card.awaitsPeer),
      restart,
      pacing: new Pacing(config.paced && !journal),
      recorder: new Recorder({ configuration, startOfTime }),
      player: journal && new Player(journal),
      breakpoints,
      kernel,
      devices: everyDevice,
      inputs: createInputs(set, timers),
      screen: (since) => devices.vga.screen(since),
      disassemble(bytes, address, bits) {
        const instruction = decode((index) => bytes[index] ?? 0, 0, bits === 32);
        const valid = instruction.row !== INVALID && instruction.row !== TOO_LONG && instruction.length <= bytes.length;
        return valid ? { length: instruction.length, text: format(instruction, { base: address }) } : null;
      },
      disconnect() {
        for (const peer of peers.values()) peer.close();
        peers.clear();
      },
      dispose() {
        release();
        for (const drive of drives) drive.close();
      },
    };
    try {
      if (!journal) connectPeers();
    } catch (error) {
      // What a card is to be connected to is not there.
      release();
      throw error;
    }
    return guest;

    function release(): void {
      guest.disconnect();
      cpu.dispose();
      arena.free(offset);
    }

    function connectPeers(): void {
      for (const [n, card] of cardConfigs.entries()) {
        const name = cardName(card, n),
          peer = backendOf(card)?.connect({
            platform: services.platform,
            switches,
            log(line) {
              for (const byte of new TextEncoder().encode(`${line}\n`)) services.output('log', byte);
            },
            deliver: (bytes) => services.outside({ kind: 'card', card: name, bytes }),
          });
        if (peer) peers.set(name, peer);
      }
    }
  }
}

/** C0000h-FFFFFh: no adapter ROMs, then the firmware. */
function shadowImage(rom: Uint8Array): Uint8Array {
  const image = new Uint8Array(SHADOW_BYTES).fill(0xff);
  image.set(rom, ROM_ADDRESS - SHADOW);
  return image;
}

function createInputs({ devices, cards }: Devices, timers: ReturnType<typeof createTimers>): Guest['inputs'] {
  const backlogs = [devices.serial0, devices.serial1].map((uart, n) => new SerialBacklog(`serial${n} input`, uart, timers));
  return {
    serial: (port, bytes) => backlogs[port].add(bytes),
    keyboard: (scanCodes) => void devices.keyboard.receive(scanCodes),
    mouse: (input) => devices.keyboard.move(input),
    powerButton: () => devices.piix4Pm.pressPowerButton(),
    card(name, bytes) {
      const card = cards.get(name);
      if (!card?.receive) throw new RangeError(`There is no card '${name}' that receives anything.`);
      card.receive(bytes);
    },
  };
}

function createWorker(arenaBytes: number): { processor: Processor; arena: Arena } {
  for (let bytes = arenaBytes; ; bytes = Math.floor(bytes / 2 / 4096) * 4096) {
    try {
      const processor = createProcessor({ arenaBytes: bytes + ADAPTERS * VIDEO_BYTES });
      return { processor, arena: new Arena(processor.engine.u8) };
    } catch (error) {
      if (!(error instanceof RangeError) || bytes / 2 < LEAST_ARENA) throw error;
    }
  }
}
