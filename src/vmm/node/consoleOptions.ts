// Where character devices go on the command line, with QEMU's names and meanings ("QEMU User Documentation", sections "Character device
// options" and "Debug/Expert options"): -serial, -debugcon, and -chardev for -device virtconsole.

import { OptionError, parseList } from './optionList.ts';

/** Where a character channel goes. */
export type Backend =
  | { readonly kind: 'none' }
  | { readonly kind: 'stdio' /** Ctrl-A is an escape and Ctrl-C goes to the guest. */; readonly monitor: boolean }
  | { readonly kind: 'file'; readonly path: string };

/** Named by -chardev, and the name that -device virtconsole gives; null where it gives none. */
export interface CharacterDevices {
  readonly named: Map<string, Backend>;
  virtconsole: { readonly chardev: string | null; readonly option: string } | null;
}

export function parseBackend(name: string, text: string): Backend {
  if (text === 'none' || text === 'null') return { kind: 'none' };
  if (text === 'stdio') return { kind: 'stdio', monitor: false };
  if (text === 'mon:stdio') return { kind: 'stdio', monitor: true };
  if (/^file:./.test(text)) return { kind: 'file', path: text.slice(5) };
  throw new OptionError(`${name} ${text}: it can be stdio, mon:stdio, file:FILE or none`);
}

export const CHARDEV_HELP = 'stdio[,mux=on], file,path=FILE or null, each with id=ID: for -device virtconsole,chardev=ID';

export function parseChardev({ characters: { named } }: { readonly characters: CharacterDevices }, text: string): void {
  const values = parseList('-chardev', text, 'backend');
  const bad = (what: string): never => {
    throw new OptionError(`-chardev ${text}: ${what}`);
  };
  const known = ['backend', 'id', 'mux', 'signal', 'path'];
  for (const key of values.keys()) if (!known.includes(key)) bad(`'${key}' is not known`);
  const id = values.get('id') || bad('id= is missing');
  if (named.has(id)) bad(`id ${id} is given twice`);
  switch (values.get('backend')) {
    case 'null':
      return void named.set(id, { kind: 'none' });
    case 'stdio':
      return void named.set(id, { kind: 'stdio', monitor: values.get('mux') === 'on' });
    case 'file':
      return void named.set(id, { kind: 'file', path: values.get('path') || bad('path= is missing') });
    default:
      return bad('it can be stdio, file or null');
  }
}

/** -device virtconsole: the console of the virtio-serial device. */
export function parseVirtconsole({ characters }: { readonly characters: CharacterDevices }, text: string): void {
  const values = parseList('-device', text, 'driver'),
    option = `-device ${text}`;
  for (const key of values.keys())
    if (!['driver', 'chardev', 'id', 'name', 'bus', 'nr'].includes(key)) throw new OptionError(`${option}: '${key}' is not known`);
  if (characters.virtconsole) throw new OptionError(`${option}: there is one console`);
  characters.virtconsole = { chardev: values.get('chardev') ?? null, option };
}

/** Where the virtio console goes. */
export function virtconsoleBackend({ named, virtconsole }: CharacterDevices): Backend {
  if (!virtconsole?.chardev) return { kind: 'none' };
  const backend = named.get(virtconsole.chardev);
  if (!backend) throw new OptionError(`${virtconsole.option}: there is no -chardev with id=${virtconsole.chardev}`);
  return backend;
}
