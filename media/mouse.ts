// The mouse over a guest's screen: relative movements, as a PS/2 mouse has them, buttons and wheel. Several movements between two
// frames go as one.

/** Buttons by MouseEvent.buttons (left, right, middle, fourth, fifth in bits 0 to 4), which is the mouse's order, too. */
const BUTTONS = 0x1f;

export interface MouseTarget {
  /** Whether the guest takes what the mouse does now. */
  takes(): boolean;
  /** Pixels of the guest for one of the view. */
  scale(): number;
  send(x: number, y: number, wheel: number, buttons: number): void;
}

/** Gives what happens over an element to the target; the result lets go of the buttons that are still down. */
export function connectMouse(element: HTMLElement, target: MouseTarget): () => void {
  let x = 0,
    y = 0,
    wheel = 0,
    buttons = 0,
    sent = 0,
    frame = 0;

  function flush(): void {
    cancelAnimationFrame(frame);
    frame = 0;
    const [wholeX, wholeY] = [Math.trunc(x), Math.trunc(y)];
    if (wholeX === 0 && wholeY === 0 && wheel === 0 && buttons === sent) return;
    // Parts of a pixel wait for the rest of it.
    x -= wholeX;
    y -= wholeY;
    target.send(wholeX, wholeY, wheel, buttons);
    wheel = 0;
    sent = buttons;
  }
  function later(): void {
    if (frame === 0) frame = requestAnimationFrame(flush);
  }
  function moved(event: MouseEvent): void {
    if (!target.takes()) return;
    const scale = target.scale();
    x += event.movementX * scale;
    y += event.movementY * scale;
    later();
  }
  function pressed(event: MouseEvent): void {
    if (!target.takes()) return;
    event.preventDefault();
    buttons = event.buttons & BUTTONS;
    flush();
  }

  element.addEventListener('mousemove', moved);
  element.addEventListener('mousedown', pressed);
  addEventListener('mouseup', pressed);
  element.addEventListener('contextmenu', (event) => event.preventDefault());
  element.addEventListener(
    'wheel',
    (event) => {
      if (!target.takes()) return;
      event.preventDefault();
      wheel += Math.sign(event.deltaY);
      later();
    },
    { passive: false },
  );
  return () => {
    buttons = 0;
    if (sent !== 0) flush();
  };
}
