// What the part of bench/panel.ts inside the extension host tells the part outside, a line at a time on the console.

/** Every printed line of the host begins so; the rest is a `PanelMessage` as JSON. */
export const PANEL_PREFIX = '| panel ';

/** Bytes. */
export interface PanelMemory {
  /** Live objects of the extension host, after a collection. */
  readonly heap: number;
  /** Resident memory of the extension host with the hypervisor's worker. */
  readonly resident: number;
}

export type PanelMessage =
  | { readonly type: 'begin' }
  | {
      readonly type: 'end';
      readonly seconds: number;
      /** In the time: exits counted, updates posted to the webview, records whose detail was dropped. */
      readonly exits: number;
      readonly updates: number;
      readonly dropped: number;
      /** The extension host's event loop: lag in milliseconds, 50th, 99th percentile and the most. */
      readonly lag: readonly [median: number, p99: number, most: number];
      /** At the beginning, at each quarter, at the end. */
      readonly memory: readonly PanelMemory[];
    };
