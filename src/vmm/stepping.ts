// Step over and step out for machine code without debug information. A call, a software interrupt, a repeated string
// instruction or a loop is run through to the instruction behind it, in the frame it started in, which the stack pointer
// tells: deeper frames have lower stack pointers (SDM volume 1, "Procedure Calls, Interrupts, and Exceptions"). Step out does
// that, instruction by instruction, until the frame's own return. A device interrupt that comes in between is run through.

/** What a step looks at. */
export interface StepView {
  /** CS base + EIP. */
  linear(): number;
  /** Stack segment and the bits of ESP that address it. */
  stack(): { segment: number; pointer: number };
  /** Text in Intel syntax and linear address behind the instruction at CS:EIP; null when there is none. */
  instruction(): { text: string; next: number } | null;
  /** External interrupts delivered so far. */
  deliveries(): number;
}

/** What to run next: one tick, or until the processor is at `target` and `accept` says that it is the right frame. */
export type StepPlan = { readonly kind: 'tick' } | { readonly kind: 'until'; readonly target: number; accept(): boolean };

type Flow = 'through' | 'return' | 'plain';
const THROUGH = /^(?:(?:lock|rep|repe|repz|repne|repnz)\b|(?:call|callf|lcall|int|int1|int3|into|syscall|sysenter)\b|loop)/;
const RETURN = /^(?:ret|retf|retn|lret|iret|iretd|iretw|sysexit)\b/;

const flowOf = (text: string): Flow => (RETURN.test(text) ? 'return' : THROUGH.test(text) ? 'through' : 'plain');

export class Stepper {
  readonly #view: StepView;
  readonly #kind: 'over' | 'out';
  readonly #start: number;
  #left: number;
  /** What the last plan was for. */
  #state: 'begin' | 'ran' | 'through' | 'interrupted' = 'begin';
  #before = { linear: 0, pointer: 0, segment: 0, deliveries: 0, flow: 'plain' as Flow };

  /** `count` steps over, or one step out. */
  constructor(kind: 'over' | 'out', count: number, view: StepView) {
    this.#kind = kind;
    this.#left = kind === 'out' ? 1 : count;
    this.#view = view;
    this.#start = view.stack().pointer;
  }

  /** The next thing to run, after the last plan has been; null when the step is complete. */
  next(): StepPlan | null {
    if (this.#state === 'ran' && this.#view.deliveries() !== this.#before.deliveries) return this.#untilReturned();
    if ((this.#state === 'ran' || this.#state === 'through') && this.#completed()) return null;
    return this.#begin();
  }

  #completed(): boolean {
    const left = this.#kind === 'over' || (this.#before.flow === 'return' && this.#before.pointer >= this.#start);
    if (left) this.#left--;
    return this.#left <= 0;
  }

  #begin(): StepPlan {
    const instruction = this.#view.instruction();
    const stack = this.#view.stack();
    this.#before = {
      linear: this.#view.linear(),
      ...stack,
      deliveries: this.#view.deliveries(),
      flow: instruction ? flowOf(instruction.text) : 'plain',
    };
    if (!instruction || this.#before.flow !== 'through') {
      this.#state = 'ran';
      return { kind: 'tick' };
    }
    this.#state = 'through';
    return { kind: 'until', target: instruction.next, accept: () => this.#inFrame(stack.pointer, Infinity) };
  }

  /** The tick delivered an interrupt: run its handler, then the instruction that was to be stepped. */
  #untilReturned(): StepPlan {
    this.#state = 'interrupted';
    const { linear, pointer } = this.#before;
    return { kind: 'until', target: linear, accept: () => this.#inFrame(pointer, pointer) };
  }

  #inFrame(least: number, most: number): boolean {
    const { segment, pointer } = this.#view.stack();
    return segment === this.#before.segment && pointer >= least && pointer <= most;
  }
}
