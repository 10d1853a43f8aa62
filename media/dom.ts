// What the webviews share: making elements, and the typed door to the extension.

interface VsCodeApi {
  postMessage(message: unknown): void;
  getState(): unknown;
  setState(state: unknown): void;
}
declare function acquireVsCodeApi(): VsCodeApi;

/** The extension's end of the view: typed sending and receiving. */
export function connect<To, From>(receive: (message: To) => void): (message: From) => void {
  const api = acquireVsCodeApi();
  addEventListener('message', (event: MessageEvent<To>) => receive(event.data));
  return (message) => api.postMessage(message);
}

type Attributes = Readonly<Record<string, string | number | boolean>>;

/** Makes an element; `true` sets an attribute without value, `false` leaves it out. */
export function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) setAttribute(made, name, value);
  made.append(...children);
  return made;
}

/** Sets or removes an attribute, touching the document only when it changes. */
export function setAttribute(target: Element, name: string, value: string | number | boolean): void {
  if (value === false) target.removeAttribute(name);
  else if (target.getAttribute(name) !== String(value === true ? '' : value))
    target.setAttribute(name, value === true ? '' : String(value));
}

/** Sets an element's text, touching the document only when it changes. */
export function setText(target: Element, text: string): void {
  if (target.textContent !== text) target.textContent = text;
}

/** '1,234,567'. */
export const formatNumber = (value: number): string => value.toLocaleString('en-US');
