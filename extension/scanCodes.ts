// Keys of a browser's keyboard events as the codes an IBM AT keyboard sends after the 8042's translation: set 1 (IBM
// "Keyboard Controller Scan Codes"). A key is named by its place (`KeyboardEvent.code`), so the guest's own layout decides
// what it means.

/** Make codes of plain keys, in the order of their numbers from 1. */
const PLAIN =
  'Escape Digit1 Digit2 Digit3 Digit4 Digit5 Digit6 Digit7 Digit8 Digit9 Digit0 Minus Equal Backspace Tab KeyQ KeyW KeyE KeyR KeyT KeyY KeyU KeyI KeyO KeyP BracketLeft BracketRight Enter ControlLeft KeyA KeyS KeyD KeyF KeyG KeyH KeyJ KeyK KeyL Semicolon Quote Backquote ShiftLeft Backslash KeyZ KeyX KeyC KeyV KeyB KeyN KeyM Comma Period Slash ShiftRight NumpadMultiply AltLeft Space CapsLock F1 F2 F3 F4 F5 F6 F7 F8 F9 F10 NumLock ScrollLock Numpad7 Numpad8 Numpad9 NumpadSubtract Numpad4 Numpad5 Numpad6 NumpadAdd Numpad1 Numpad2 Numpad3 Numpad0 NumpadDecimal';
const MAKE = new Map<string, number>(PLAIN.split(' ').map((code, n) => [code, n + 1]));
MAKE.set('IntlBackslash', 0x56).set('F11', 0x57).set('F12', 0x58);

/** Keys that came with the 101-key keyboard: E0 before the code. */
const EXTENDED = new Map<string, number>(
  Object.entries({
    NumpadEnter: 0x1c,
    ControlRight: 0x1d,
    NumpadDivide: 0x35,
    AltRight: 0x38,
    Home: 0x47,
    ArrowUp: 0x48,
    PageUp: 0x49,
    ArrowLeft: 0x4b,
    ArrowRight: 0x4d,
    End: 0x4f,
    ArrowDown: 0x50,
    PageDown: 0x51,
    Insert: 0x52,
    Delete: 0x53,
    MetaLeft: 0x5b,
    MetaRight: 0x5c,
    ContextMenu: 0x5d,
  }),
);

/** Codes that a key sends when it goes down or up; empty for a key that the keyboard does not have. */
export function scanCodes(code: string, down: boolean): readonly number[] {
  const up = down ? 0 : 0x80,
    plain = MAKE.get(code);
  if (plain !== undefined) return [plain | up];
  const extended = EXTENDED.get(code);
  if (extended !== undefined) return [0xe0, extended | up];
  if (code === 'Pause') return down ? [0xe1, 0x1d, 0x45, 0xe1, 0x9d, 0xc5] : [];
  if (code === 'PrintScreen') return down ? [0xe0, 0x2a, 0xe0, 0x37] : [0xe0, 0xb7, 0xe0, 0xaa];
  return [];
}

/** Ctrl+Alt+Delete, pressed and released. */
export const CONTROL_ALT_DELETE: readonly number[] = [
  ...['ControlLeft', 'AltLeft', 'Delete'].flatMap((code) => scanCodes(code, true)),
  ...['Delete', 'AltLeft', 'ControlLeft'].flatMap((code) => scanCodes(code, false)),
];
