/** What the hub answers, read into types. A key that is missing or odd becomes its neutral value: the page goes on. */

import { readEvent, type LogEvent } from './event';
import { asNumber, asText, isList, isObject, type Json } from './json';

export interface Page {
  readonly events: readonly LogEvent[];
  /** Where older events go on; null at the end. */
  readonly cursor: string | null;
  readonly tookMs: number;
  readonly total: number;
  readonly scanned: number;
  readonly partitions: number;
  readonly skipped: number;
}

export interface Counts {
  /** Milliseconds since 1970. */
  readonly from: number;
  readonly to: number;
  readonly stepMs: number;
  readonly series: readonly { readonly key: string; readonly counts: readonly number[] }[];
  readonly total: number;
}

export interface Problem {
  readonly code: string;
  readonly message: string;
  /** Place in the query, in characters. */
  readonly position?: number;
}

export type Frame =
  | { readonly type: 'events'; readonly events: readonly LogEvent[]; readonly cursor: string | null }
  | { readonly type: 'gap'; readonly count: number; readonly to: string | null }
  | { readonly type: 'sampled'; readonly shown: number; readonly of: number }
  | { readonly type: 'heartbeat' };

export function readPage(json: Json): Page {
  const page = isObject(json) ? json : {};
  const stats = isObject(page['stats']) ? page['stats'] : {};
  return {
    events: readEvents(page['events']),
    cursor: asText(page['cursor']) ?? null,
    tookMs: asNumber(page['took_ms']) ?? 0,
    total: asNumber(stats['total']) ?? 0,
    scanned: asNumber(stats['scanned']) ?? 0,
    partitions: asNumber(stats['partitions']) ?? 0,
    skipped: asNumber(stats['skipped']) ?? 0,
  };
}

export function readCounts(json: Json): Counts {
  const counts = isObject(json) ? json : {};
  const series = isList(counts['series']) ? counts['series'] : [];
  return {
    from: Date.parse(asText(counts['from']) ?? ''),
    to: Date.parse(asText(counts['to']) ?? ''),
    stepMs: asNumber(counts['step_ms']) ?? 0,
    series: series
      .filter(isObject)
      .map((one) => ({ key: asText(one['key']) ?? '', counts: readNumbers(one['counts']) })),
    total: asNumber(counts['total']) ?? 0,
  };
}

/** Read an error's body; undefined if it is none of the hub's (a proxy's page, an empty body). */
export function readProblem(json: Json): Problem | undefined {
  const error = isObject(json) ? json['error'] : undefined;
  const message = isObject(error) ? asText(error['message']) : undefined;

  if (message === undefined || !isObject(error)) {
    return undefined;
  }

  const position = asNumber(error['position']);
  const problem = { code: asText(error['code']) ?? '', message };
  return position === undefined ? problem : { ...problem, position };
}

/** Read a frame of the tail; undefined for a type that this viewer does not know. */
export function readFrame(json: Json): Frame | undefined {
  const frame = isObject(json) ? json : {};

  switch (frame['type']) {
    case 'events':
      return { type: 'events', events: readEvents(frame['events']), cursor: asText(frame['cursor']) ?? null };
    case 'gap':
      return { type: 'gap', count: asNumber(frame['count']) ?? 0, to: asText(frame['to']) ?? null };
    case 'sampled':
      return { type: 'sampled', shown: asNumber(frame['shown']) ?? 0, of: asNumber(frame['of']) ?? 0 };
    case 'heartbeat':
      return { type: 'heartbeat' };
    default:
      return undefined;
  }
}

function readEvents(json: Json | undefined): LogEvent[] {
  return isList(json) ? json.map(readEvent).filter((event) => event !== undefined) : [];
}

function readNumbers(json: Json | undefined): number[] {
  return isList(json) ? json.map((item) => asNumber(item) ?? 0) : [];
}
