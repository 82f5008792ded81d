/** Moments as text, in the reader's zone or in UTC. */

export type Zone = 'local' | 'utc';

/** `14:17:21.698`, the millisecond cut and not rounded: an event never seems later than it was. */
export function clock(timestamp: string, zone: Zone): string {
  const moment = new Date(timestamp);
  return Number.isNaN(moment.getTime()) ? timestamp : clockOf(moment, zone);
}

/** `2026-11-22 14:17:21.698123 UTC`: all that is known. */
export function full(timestamp: string, zone: Zone): string {
  const moment = new Date(timestamp);

  if (Number.isNaN(moment.getTime())) {
    return timestamp;
  }

  const micros = /\.\d{3}(\d+)/.exec(timestamp)?.[1] ?? '';
  return `${day(moment, zone)} ${clockOf(moment, zone)}${micros} ${zone === 'utc' ? 'UTC' : offset(moment)}`;
}

/** `11-22 14:17:21`: when it was, to the second. */
export function moment(timestamp: string, zone: Zone): string {
  const found = new Date(timestamp);
  return Number.isNaN(found.getTime()) ? timestamp : `${day(found, zone).slice(5)} ${clockOf(found, zone).slice(0, 8)}`;
}

/** How long ago: `12 s`, `3 m`, in one unit. */
export function ago(timestamp: string, now: number): string {
  const ms = now - Date.parse(timestamp);
  return Number.isNaN(ms) ? '' : ms < 1000 ? 'now' : (/^\d+ \w+/.exec(duration(ms))?.[0] ?? '');
}

/** `11-22 14:17` or `14:17` or `14:17:05`, as fine as the range needs. */
export function tick(time: number, rangeMs: number, zone: Zone): string {
  const moment = new Date(time);
  const text = clockOf(moment, zone);

  if (rangeMs > 20 * 3_600_000) {
    return `${day(moment, zone).slice(5)} ${text.slice(0, 5)}`;
  }

  return text.slice(0, rangeMs < 5 * 60_000 ? 8 : 5);
}

/** `1 m 30 s`, `2 h`: a length of time in at most two units. */
export function duration(ms: number): string {
  const units: [number, string][] = [
    [86_400_000, 'd'],
    [3_600_000, 'h'],
    [60_000, 'm'],
    [1000, 's'],
  ];

  const parts: string[] = [];
  let rest = ms;

  for (const [size, name] of units) {
    const whole = Math.floor(rest / size);
    rest -= whole * size;

    if (whole > 0) {
      parts.push(`${whole} ${name}`);
    }
  }

  return parts.slice(0, 2).join(' ') || `${Math.round(ms)} ms`;
}

/** `2026-11-22T14:17:21`: a moment as a field for date and time wants it. */
export function fieldText(time: number, zone: Zone): string {
  const moment = new Date(time);
  return `${day(moment, zone)}T${clockOf(moment, zone).slice(0, 8)}`;
}

/** The moment that stands in such a field, as RFC 3339; undefined if none does. */
export function fromField(text: string, zone: Zone): string | undefined {
  const moment = new Date(text === '' ? NaN : text + (zone === 'utc' ? 'Z' : ''));
  return Number.isNaN(moment.getTime()) ? undefined : moment.toISOString();
}

/** The microsecond after: ranges exclude their end. */
export function justAfter(timestamp: string): string {
  const digits = /\.(\d{1,6})/.exec(timestamp)?.[1]?.padEnd(6, '0') ?? '000000';
  const micros = Number(digits) + 1;
  const second = Math.floor(Date.parse(timestamp) / 1000) + (micros === 1_000_000 ? 1 : 0);
  return `${new Date(second * 1000).toISOString().slice(0, 19)}.${pad(micros % 1_000_000, 6)}Z`;
}

function clockOf(moment: Date, zone: Zone): string {
  const utc = zone === 'utc';
  const [hour, minute, second, milli] = utc
    ? [moment.getUTCHours(), moment.getUTCMinutes(), moment.getUTCSeconds(), moment.getUTCMilliseconds()]
    : [moment.getHours(), moment.getMinutes(), moment.getSeconds(), moment.getMilliseconds()];
  return `${pad(hour)}:${pad(minute)}:${pad(second)}.${pad(milli, 3)}`;
}

function day(moment: Date, zone: Zone): string {
  return zone === 'utc'
    ? moment.toISOString().slice(0, 10)
    : `${moment.getFullYear()}-${pad(moment.getMonth() + 1)}-${pad(moment.getDate())}`;
}

function offset(moment: Date): string {
  const minutes = -moment.getTimezoneOffset();
  const size = Math.abs(minutes);
  return `${minutes < 0 ? '-' : '+'}${pad(Math.floor(size / 60))}:${pad(size % 60)}`;
}

function pad(number: number, digits = 2): string {
  return String(number).padStart(digits, '0');
}
