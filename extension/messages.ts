// Every message between the extension and its webviews: one closed union per view and direction. Both sides compile
// against these, so neither can send what the other does not know.

import type { ExitName } from '../src/runtime/exits.ts';
import type { ScreenState } from '../src/vmm/protocol.ts';
import type { PanelFilter } from './exitFilter.ts';
import type { ReasonCount } from './exitLog.ts';
import type { ImageSummary } from './imageSummary.ts';

/** One line of the exits panel's list, as it is drawn. */
export interface ExitRow {
  readonly position: number;
  readonly tick: number;
  /** Name of the guest. */
  readonly guest: string;
  readonly address: string;
  readonly reason: ExitName;
  readonly text: string;
  /** Host microseconds, 0 when not measured. */
  readonly cost: number;
}

export interface GuestChoice {
  readonly key: string;
  readonly name: string;
}

export type ToExits =
  /** At most twenty a second, and only while the panel can be seen. */
  | {
      readonly type: 'update';
      /** Positions that can be shown: first to end - 1 (exitLog.ts). */
      readonly first: number;
      readonly end: number;
      readonly rows: readonly ExitRow[];
      readonly reasons: readonly ReasonCount[];
      readonly held: number;
      readonly dropped: number;
    }
  | {
      readonly type: 'state';
      readonly guests: readonly GuestChoice[];
      readonly filter: PanelFilter;
      /** Why the filter cannot be used, or empty. */
      readonly problem: string;
      readonly paused: boolean;
      readonly breakOn: readonly ExitName[];
    };

export type FromExits =
  | { readonly type: 'ready' }
  /** The rows to send from now on; follow: always the newest `count`. */
  | { readonly type: 'window'; readonly from: number; readonly count: number; readonly follow: boolean }
  | { readonly type: 'filter'; readonly filter: PanelFilter }
  | { readonly type: 'pause'; readonly paused: boolean }
  | { readonly type: 'clear' }
  | { readonly type: 'reveal'; readonly position: number }
  | { readonly type: 'breakOn'; readonly reason: ExitName; readonly on: boolean }
  | { readonly type: 'debug' };

export type ToScreen =
  | { readonly type: 'screen'; readonly screen: ScreenState }
  /** Shown below the screen; `live`: the guest takes keys. */
  | { readonly type: 'status'; readonly text: string; readonly live: boolean };

export type FromScreen =
  | { readonly type: 'ready' }
  | { readonly type: 'keys'; readonly scanCodes: readonly number[] }
  /** As the hypervisor's command. */
  | { readonly type: 'mouse'; readonly x: number; readonly y: number; readonly wheel: number; readonly buttons: number }
  | { readonly type: 'copy'; readonly text: string };

export type ToImage =
  | { readonly type: 'summary'; readonly name: string; readonly size: number; readonly summary: ImageSummary; readonly canRun: boolean }
  | { readonly type: 'bytes'; readonly offset: number; readonly bytes: Uint8Array }
  | { readonly type: 'error'; readonly text: string };

export type FromImage =
  | { readonly type: 'ready' }
  | { readonly type: 'read'; readonly offset: number; readonly length: number }
  | { readonly type: 'run'; readonly debug: boolean };
