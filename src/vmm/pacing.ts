// Pacing holds a guest back so that its time does not run ahead of wall time: a countdown of 20 seconds takes 20 seconds. It
// decides when a guest runs, never what it sees, so a paced run and a warped one are the same run. A guest that fell behind
// (a slow host, a busy worker) does not race to catch up: at most MAXIMUM_DEBT of lag is remembered.

import { CYCLES_PER_MILLISECOND } from './clock.ts';

/** Milliseconds of lag that a guest may make up for by running ahead of the pace. */
const MAXIMUM_DEBT = 100;

export class Pacing {
  readonly #paced: boolean;
  #anchorWall = 0;
  #anchorCycle = 0;

  constructor(paced: boolean) {
    this.#paced = paced;
  }

  /** Start counting from here: at power-on and whenever the guest was stopped and continues. */
  restart(wall: number, cycle: number): void {
    this.#anchorWall = wall;
    this.#anchorCycle = cycle;
  }

  /** The cycle that the guest's clock may reach at this wall time (milliseconds); Infinity when not paced. */
  allowed(wall: number, cycle: number): number {
    if (!this.#paced) return Infinity;
    const due = this.#anchorCycle + Math.floor((wall - this.#anchorWall) * CYCLES_PER_MILLISECOND);
    if (due - cycle <= MAXIMUM_DEBT * CYCLES_PER_MILLISECOND) return due;
    this.restart(wall - MAXIMUM_DEBT, cycle);
    return cycle + MAXIMUM_DEBT * CYCLES_PER_MILLISECOND;
  }

  /** Milliseconds until the guest's clock may reach this cycle; 0 when it may now. */
  wait(wall: number, cycle: number): number {
    if (!this.#paced) return 0;
    return Math.max(0, this.#anchorWall + (cycle - this.#anchorCycle) / CYCLES_PER_MILLISECOND - wall);
  }
}
