// Checked access to what a debugger client or a launch.json sent: every value is taken as unknown and every error names the
// field and what was expected, so that a malformed message becomes an error response and nothing worse.

/** The named values of one request, launch configuration or nested object. */
export class Fields {
  readonly #values: Readonly<Record<string, unknown>>;
  readonly #prefix: string;

  /** @param prefix put before field names in errors, for instance `breakpoints[2].`. Throws when `value` is no object. */
  constructor(value: unknown, prefix = '') {
    if (value === undefined || value === null) value = {};
    if (typeof value !== 'object' || Array.isArray(value))
      throw new Error(`${prefix.replace(/\.$/, '') || 'arguments'}: an object is expected`);
    this.#values = value as Record<string, unknown>;
    this.#prefix = prefix;
  }

  /** Names present, also those with null. */
  names(): string[] {
    return Object.keys(this.#values);
  }
  has(name: string): boolean {
    return this.raw(name) !== undefined;
  }
  /** The value as it came; null counts as absent. Inherited properties are never seen. */
  raw(name: string): unknown {
    return Object.hasOwn(this.#values, name) ? (this.#values[name] ?? undefined) : undefined;
  }
  error(name: string, expected: string): Error {
    return new Error(`${this.#prefix}${name}: ${expected}`);
  }

  text(name: string): string {
    const value = this.raw(name);
    if (typeof value !== 'string') throw this.error(name, 'a text is expected');
    return value;
  }
  optionalText(name: string): string | undefined {
    return this.has(name) ? this.text(name) : undefined;
  }

  /** A whole number within [min, max]; a text such as '0x7c00' counts too. */
  integer(name: string, min: number, max: number, otherwise?: number): number {
    let value = this.raw(name);
    if (value === undefined && otherwise !== undefined) return otherwise;
    if (typeof value === 'string') value = parseNumber(value);
    if (typeof value !== 'number' || !Number.isInteger(value) || value < min || value > max)
      throw this.error(name, `a whole number from ${min} to ${max} is expected`);
    return value;
  }
  optionalInteger(name: string, min: number, max: number): number | undefined {
    return this.has(name) ? this.integer(name, min, max) : undefined;
  }

  flag(name: string, otherwise: boolean): boolean {
    const value = this.raw(name) ?? otherwise;
    if (typeof value !== 'boolean') throw this.error(name, 'true or false is expected');
    return value;
  }

  choice<T extends string | number>(name: string, choices: readonly T[], otherwise?: T): T {
    const value = this.raw(name) ?? otherwise;
    const found = choices.find((choice) => choice === value);
    if (found === undefined) throw this.error(name, `one of ${choices.join(', ')} is expected`);
    return found;
  }

  /** A list, each element made by `each` from its value and its name for errors; absent counts as empty. */
  list<T>(name: string, each: (value: unknown, path: string) => T, limit = 10_000): T[] {
    const value = this.raw(name) ?? [];
    if (!Array.isArray(value)) throw this.error(name, 'a list is expected');
    if (value.length > limit) throw this.error(name, `at most ${limit} entries are taken`);
    return value.map((element, n) => each(element, `${this.#prefix}${name}[${n}]`));
  }
  objects<T>(name: string, each: (fields: Fields) => T): T[] {
    return this.list(name, (value, path) => each(new Fields(value, `${path}.`)));
  }
  object(name: string): Fields {
    return new Fields(this.raw(name), `${this.#prefix}${name}.`);
  }
}

/** '31744', '0x7c00', '7c00h' as a number, or NaN. */
export function parseNumber(text: string): number {
  const trimmed = text.trim();
  const hexadecimal = /^(-?)(?:0x([0-9a-f]{1,13})|([0-9][0-9a-f]{0,12})h)$/i.exec(trimmed);
  if (hexadecimal) return (hexadecimal[1] ? -1 : 1) * Number.parseInt(hexadecimal[2] ?? hexadecimal[3] ?? '', 16);
  return /^-?[0-9]{1,15}$/.test(trimmed) ? Number.parseInt(trimmed, 10) : Number.NaN;
}

/** The message of anything thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
