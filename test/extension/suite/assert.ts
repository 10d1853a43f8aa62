/** The few assertions the suites need: node:assert does not exist in the web extension host. */

/** Fails unless the value is truthy. */
export function ok(value: unknown, message = 'expected a value'): asserts value {
  if (!value) throw new Error(message);
}

/** Fails unless both are the same primitive value. */
export function equal(actual: unknown, expected: unknown, message = ''): void {
  if (!Object.is(actual, expected))
    throw new Error(`${message} expected ${JSON.stringify(expected)}, got ${JSON.stringify(actual)}`.trim());
}

/** Fails unless both are written the same as JSON. */
export function deepEqual(actual: unknown, expected: unknown, message = ''): void {
  equal(JSON.stringify(actual), JSON.stringify(expected), message);
}

/** Fails unless the text matches. */
export function match(text: string, pattern: RegExp): void {
  if (!pattern.test(text)) throw new Error(`expected ${pattern}, got ${JSON.stringify(text)}`);
}

/** Asks every 50 ms until the answer is truthy, and returns it. Fails after `seconds`. */
export async function until<T>(what: string, ask: () => T | Promise<T>, seconds = 20): Promise<NonNullable<T>> {
  for (let i = 0; i < seconds * 20; i++) {
    const answer = await ask();
    if (answer) return answer;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`still waiting after ${seconds} s: ${what}`);
}
