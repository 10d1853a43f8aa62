// The command line's option for the date that the guest's clock starts from, with QEMU's name and meaning ("QEMU User
// Documentation", `-rtc`).

import { FIXED_START } from '../clock.ts';
import { OptionError, parseList } from './optionList.ts';

/** The host's date, in UTC or in its own time zone; or milliseconds since 1970. */
export type StartDate = 'utc' | 'localtime' | number;

export const RTC_HELP = 'base=utc, base=localtime or base=DATE: where the clock starts (default 2026-01-01, with --clock host now)';

/** `clock=` and `driftfix=` are about clocks that the guest's does not depend on. */
export function parseRtc(settings: { date: StartDate | null }, text: string): void {
  const values = parseList('-rtc', text, 'base'),
    base = values.get('base');
  for (const key of values.keys())
    if (!['base', 'clock', 'driftfix'].includes(key)) throw new OptionError(`-rtc ${text}: '${key}' is not known`);
  if (base === undefined) return;
  settings.date = base === 'utc' || base === 'localtime' ? base : parseDate(base);
}

/** A date, or date and time of day, of UTC. */
function parseDate(text: string): number {
  const date = /^\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\d)?$/.test(text) ? Date.parse(text.includes('T') ? `${text}Z` : text) : Number.NaN;
  if (!(date >= 0))
    throw new OptionError(`-rtc base=${text}: utc, localtime or a date from 1970 on, such as 2006-06-17T16:01:21, is needed`);
  return date;
}

/** Milliseconds since 1970, at the moment `now` of the host. */
export function startOfTime(date: StartDate | null, clock: 'instructions' | 'host', now: Date): number {
  if (typeof date === 'number') return date;
  if (date === null && clock === 'instructions') return FIXED_START;
  return now.getTime() - (date === 'localtime' ? now.getTimezoneOffset() * 60_000 : 0);
}
