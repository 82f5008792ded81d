/** The events of one request on a time line: when each was, how long until the next, in which service. Pure. */

import type { LogEvent } from './event';
import { asText } from './json';
import { term } from './query';

export interface Mark {
  readonly event: LogEvent;
  /** Milliseconds after the first. */
  readonly after: number;
  /** Where it stands, as a share of the whole time. */
  readonly at: number;
  /** Until the next one, as a share. */
  readonly length: number;
}

export interface Line {
  readonly marks: readonly Mark[];
  readonly services: readonly string[];
  readonly ms: number;
}

/** Order events, the oldest first, and place them. */
export function timeline(events: readonly LogEvent[]): Line {
  const marks = [...events].sort((a, b) => (a.timestamp + a.id < b.timestamp + b.id ? -1 : 1));
  const micros = marks.map((event) => microsOf(event.timestamp));
  const first = micros[0] ?? 0;
  const span = Math.max((micros.at(-1) ?? 0) - first, 1);
  return {
    marks: marks.map((event, index) => {
      const now = (micros[index] ?? first) - first;
      const next = (micros[index + 1] ?? micros.at(-1) ?? first) - first;
      return { event, after: now / 1000, at: now / span, length: (next - now) / span };
    }),
    services: [...new Set(marks.map((event) => event.service))],
    ms: span / 1000,
  };
}

/** What asks for all events of a request or a trace. */
export function requestQuery(id: string): string {
  return `${term('request_id', id)} OR ${term('trace_id', id)}`;
}

/** The request that an event belongs to; empty for none. */
export function requestOf(event: LogEvent): string {
  return asText(event.fields['request_id']) ?? asText(event.fields['trace_id']) ?? '';
}

/** `+1.204 s`, `+3.2 ms`: exact enough to compare. */
export function offset(ms: number): string {
  return ms >= 1000 ? `+${(ms / 1000).toFixed(3)} s` : `+${ms.toFixed(1)} ms`;
}

function microsOf(timestamp: string): number {
  const digits = /\.(\d{1,6})/.exec(timestamp)?.[1]?.padEnd(6, '0') ?? '000000';
  return Math.floor(Date.parse(timestamp) / 1000) * 1_000_000 + Number(digits);
}
