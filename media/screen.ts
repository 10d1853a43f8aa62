// A guest's screen, keyboard and mouse. While the screen has the focus every key goes to the guest, also those that the editor
// knows, and so do movements over the screen; Ctrl+Alt+G gives the keyboard back. The picture is also there as text, for screen
// readers and for copying.

import type { FromScreen, ToScreen } from '../extension/messages.ts';
import { screenText } from '../src/vmm/codePage437.ts';
import { keyCodes } from '../src/vmm/keyboard.ts';
import type { ScreenState } from '../src/vmm/protocol.ts';
import { drawBands, drawScreen, present } from './display.ts';
import { connect, element, setAttribute, setText } from './dom.ts';
import { connectMouse } from './mouse.ts';

/** Half period of a VGA's cursor: 16 frames of 60 Hz; characters blink half as fast. */
const CURSOR_BLINK = 267;
/** Keys that its button presses together. */
const CONTROL_ALT_DELETE = ['ControlLeft', 'AltLeft', 'Delete'];
/** Pixels around the picture: the black edge of the glass and its focus ring. */
const MARGIN = 36;

const root = document.getElementById('screen')!;
/** The screen pixel for pixel, and as it is shown. */
const source = element('canvas', { width: 640, height: 400 }),
  canvas = element('canvas', { width: 640, height: 400, 'aria-hidden': 'true' });
const text = element('pre', { class: 'hidden', id: 'text' });
const glass = element(
  'div',
  {
    class: 'glass',
    tabindex: 0,
    role: 'application',
    'aria-label': 'Screen of the guest; typing goes to the guest, Ctrl+Alt+G releases the keyboard',
    'aria-describedby': 'text',
  },
  canvas,
  text,
);
const status = element('span', { class: 'status', role: 'status' }),
  hint = element('span', { class: 'hint' });
const reset = element('button', { type: 'button', class: 'secondary', title: 'Send Ctrl+Alt+Delete to the guest' }, 'Ctrl+Alt+Del');
const copy = element('button', { type: 'button', class: 'secondary', title: 'Copy the text on the screen' }, 'Copy Text');
const capture = element(
  'button',
  { type: 'button', class: 'secondary', title: 'Give the mouse to the guest alone; Ctrl+Alt+G, or Escape, gives it back' },
  'Capture Mouse',
);
const waiting = element('p', { class: 'waiting' }, 'The guest has not shown anything yet.');
const stage = element('div', { class: 'stage' }, glass, waiting);
root.append(stage, element('footer', {}, element('div', { class: 'words' }, status, hint), capture, reset, copy));

const still = matchMedia('(prefers-reduced-motion: reduce)').matches || document.body.classList.contains('vscode-reduce-motion');
const pressed = new Set<string>();
/** What is shown; of graphics the rows are on the canvas `source`. */
let screen: ScreenState | null = null,
  live = false,
  phase = 0,
  blinking = 0;

const send = connect<ToScreen, FromScreen>((message) => {
  if (message.type === 'screen') show(message.screen);
  else {
    live = message.live;
    setText(status, message.text);
    setAttribute(status, 'title', message.text);
    root.classList.toggle('stopped', !live);
    reset.disabled = capture.disabled = !live;
    showHint();
  }
});

glass.addEventListener('focus', showHint);
glass.addEventListener('blur', () => {
  release();
  showHint();
});
// Taken before VS Code's own listener sees the key, so that Ctrl+W or F5 reach the guest alone.
addEventListener('keydown', (event) => take(event, true), true);
addEventListener('keyup', (event) => take(event, false), true);
reset.addEventListener('click', () => {
  for (const code of CONTROL_ALT_DELETE) keys(keyCodes(code)?.make);
  for (const code of CONTROL_ALT_DELETE.toReversed()) keys(keyCodes(code)?.break);
});
copy.addEventListener(
  'click',
  () => screen?.mode === 'text' && send({ type: 'copy', text: `${screenText(screen.cells, screen.columns).join('\n').trimEnd()}\n` }),
);
const releaseMouse = connectMouse(glass, {
  takes: () => live && document.activeElement === glass,
  /** Pixels of the guest for one of the view. */
  scale: () => (canvas.clientWidth > 0 ? source.width / canvas.clientWidth : 1),
  send: (x, y, wheel, buttons) => send({ type: 'mouse', x, y, wheel, buttons }),
});
capture.addEventListener('click', () => {
  glass.focus();
  // Where the host refuses, the mouse stays with both.
  Promise.resolve(glass.requestPointerLock()).catch(() => {});
});
document.addEventListener('pointerlockchange', showHint);
new ResizeObserver(scaleCanvas).observe(stage);
showHint();
send({ type: 'ready' });

function show(next: ScreenState): void {
  screen = next;
  if (next.mode === 'graphics') drawBands(source, next);
  waiting.hidden = true;
  glass.hidden = false;
  copy.disabled = next.mode !== 'text';
  draw();
  scaleCanvas();
  setText(
    text,
    next.mode === 'text' ? screenText(next.cells, next.columns).join('\n').trimEnd() : `Graphics, ${next.width} by ${next.height} pixels`,
  );
  const moves = !still && next.mode === 'text' && (next.cursor >= 0 || next.cells.some((byte, n) => n % 2 === 1 && byte & 0x80));
  if (moves && !blinking) blinking = window.setInterval(tick, CURSOR_BLINK);
  if (!moves && blinking) {
    clearInterval(blinking);
    blinking = 0;
    phase = 0;
    draw();
  }
}

function tick(): void {
  phase = (phase + 1) % 4;
  draw();
}

function draw(): void {
  if (!screen) return;
  if (screen.mode === 'text') drawScreen(source, screen, phase % 2 === 0, phase < 2);
  present(source, canvas, canvas.width, canvas.height);
}

/** As large as fits, at most four times its natural size. */
function scaleCanvas(): void {
  // A monitor of 4:3 shows 320 by 200 and 640 by 200 pixels, which are not square, over all of its glass.
  const [width, height] = screen?.mode === 'graphics' && source.height <= 200 ? [640, 480] : [source.width, source.height];
  const scale = Math.min(4, Math.max(0.1, Math.min((stage.clientWidth - MARGIN) / width, (stage.clientHeight - MARGIN) / height)));
  const ratio = devicePixelRatio || 1;
  const [across, down] = [Math.round(width * scale * ratio), Math.round(height * scale * ratio)];
  canvas.style.width = `${across / ratio}px`;
  canvas.style.height = `${down / ratio}px`;
  if (screen) present(source, canvas, across, down);
}

function showHint(): void {
  const captured = live && document.activeElement === glass;
  root.classList.toggle('captured', captured);
  setText(
    hint,
    !live
      ? ''
      : document.pointerLockElement
        ? 'Keys and mouse go to the guest · Ctrl+Alt+G releases them'
        : captured
          ? 'Keys go to the guest · Ctrl+Alt+G releases them'
          : 'Click the screen to type',
  );
}

function take(event: KeyboardEvent, down: boolean): void {
  if (document.activeElement !== glass) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  if (down && event.ctrlKey && event.altKey && event.code === 'KeyG') {
    release();
    if (document.pointerLockElement) document.exitPointerLock();
    copy.focus();
    return;
  }
  const codes = keyCodes(event.code);
  if (!codes || (!down && !pressed.has(event.code))) return;
  if (down) pressed.add(event.code);
  else pressed.delete(event.code);
  keys(down ? codes.make : codes.break);
}

/** Keys still down when the focus goes would stay down for the guest. */
function release(): void {
  for (const code of pressed) keys(keyCodes(code)?.break);
  pressed.clear();
  releaseMouse();
}

function keys(codes: readonly number[] = []): void {
  if (live && codes.length > 0) send({ type: 'keys', scanCodes: codes });
}
