// What the hypervisor needs of the program it runs in: a clock, a way to let messages in, timers. Node and web workers
// supply it (vmm/node, vmm/web); tests supply one they drive by hand. Nothing a guest can see comes from here except through
// the journal.

export interface Platform {
  /** Monotonic milliseconds with fraction. */
  now(): number;
  /** Calls back in a new macrotask as soon as waiting messages and timers have had their turn. */
  defer(callback: () => void): void;
  /** Calls back once after this many milliseconds; the result cancels it. */
  after(milliseconds: number, callback: () => void): () => void;
}
