// The text of an option's argument: lists of properties as QEMU writes them, and what is wrong with one.

/** A command line that cannot be understood; the message names the option. */
export class OptionError extends Error {}

/** 'a=1,b=2' with ',,' for a comma; a first word without '=' gets the name `first`. Names of `repeated` may come again: `join` puts their values together. */
export function parseList(
  name: string,
  text: string,
  first: string,
  repeated: readonly string[] = [],
  join: (values: readonly string[]) => string = String,
): Map<string, string> {
  const values = new Map<string, string>();
  text
    .replaceAll(',,', '\0')
    .split(',')
    .forEach((part, n) => {
      const [, key, value] = /^([\w-]+)=(.*)$/s.exec(part) ?? [null, n === 0 ? first : part, n === 0 ? part : 'on'];
      const before = values.get(key),
        now = value.replaceAll('\0', ',');
      if (before !== undefined && !repeated.includes(key)) throw new OptionError(`${name} ${text}: ${key} is given twice`);
      values.set(key, before === undefined ? now : join([before, now]));
    });
  return values;
}
