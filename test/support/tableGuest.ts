// A guest that is a table: for tests of what the debug adapter makes of a hypervisor's answers, also of odd ones that no real
// guest gives. Real mode, one-byte instructions, memory where it was put.

import type { CommandName, Commands, GuestInfo, HypervisorClient, HypervisorEvent } from '../../src/vmm/protocol.ts';

export interface TableGuest extends HypervisorClient {
  /** Everything asked, in order. */
  readonly asked: { readonly command: CommandName; readonly args: unknown }[];
  readonly registers: Record<string, number | string>;
  readonly memory: Map<number, number>;
  /** Replaces the answer to a command. */
  answer<N extends CommandName>(command: N, reply: (args: Commands[N]['args']) => Commands[N]['result']): void;
  emit(event: HypervisorEvent): void;
  put(address: number, bytes: ArrayLike<number>): void;
}

export const TABLE_GUEST_ID = 7;

export function tableGuest(): TableGuest {
  const listeners = new Set<(event: HypervisorEvent) => void>();
  const replies = new Map<string, (args: never) => unknown>();
  const asked: { command: CommandName; args: unknown }[] = [];
  const memory = new Map<number, number>();
  const registers: Record<string, number | string> = { eip: 0x7c00, esp: 0x7000, cs_limit: 0xffff, ss_limit: 0xffff };
  const put = (address: number, bytes: ArrayLike<number>): void => {
    Array.from(bytes).forEach((byte, n) => {
      memory.set(address + n, byte);
    });
  };
  const on = <N extends CommandName>(command: N, reply: (args: Commands[N]['args']) => Commands[N]['result']): void =>
    void replies.set(command, reply);
  const info = {
    id: TABLE_GUEST_ID,
    name: 'table',
    status: 'running',
    reason: '',
    memory: 1 << 20,
    ticks: 0,
    exits: 0,
    mode: 'real',
    paging: false,
  } as unknown as GuestInfo;
  on('define', () => ({ id: TABLE_GUEST_ID }));
  on('list', () => ({ guests: [info] }));
  on('kernelSymbols', () => ({ version: 0 }));
  on('registers', () => ({ values: { ...registers } }));
  on('setRegister', ({ name, value }) => ({ value: (registers[name] = value) }));
  on('readMemory', ({ address, length }) => {
    const bytes: number[] = [];
    for (let at = address; bytes.length < length; at++) {
      const byte = memory.get(at);
      if (byte === undefined) break;
      bytes.push(byte);
    }
    return { bytes: Uint8Array.from(bytes) };
  });
  on('writeMemory', ({ address, bytes }) => {
    put(address, bytes);
    return { written: bytes.length };
  });
  on('disassemble', ({ address, before, count }) => {
    const one = (at: number) => ({
      address: at,
      bytes: Uint8Array.of(memory.get(at) ?? 0),
      text: `op ${memory.get(at)}`,
      valid: memory.has(at),
    });
    const addresses = [
      ...Array.from({ length: before }, (_, n) => address - before + n),
      ...Array.from({ length: count }, (_, n) => address + n),
    ];
    return { instructions: addresses.filter((at) => memory.has(at)).map(one) };
  });
  return {
    asked,
    registers,
    memory,
    put,
    answer: on,
    emit: (event) => {
      for (const listener of listeners) listener(event);
    },
    async request<N extends CommandName>(command: N, args: Commands[N]['args']): Promise<Commands[N]['result']> {
      asked.push({ command, args });
      return (replies.get(command)?.(args as never) ?? {}) as Commands[N]['result'];
    },
    onEvent(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    dispose: () => listeners.clear(),
  };
}
