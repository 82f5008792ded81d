/** The rows of the list, newest first: events, and gaps where some are not shown. Pure: each change is a new list. */

import { newestFirst, type LogEvent } from './event';

export interface EventRow {
  readonly kind: 'event';
  readonly id: string;
  readonly timestamp: string;
  readonly event: LogEvent;
}

export interface GapRow {
  readonly kind: 'gap';
  readonly id: string;
  readonly timestamp: string;
  readonly count: number;
  /** The hub skipped for a slow page, or this page could not keep more while its reader was reading. */
  readonly reason: Reason;
}

export type Reason = 'behind' | 'held';

export type Row = EventRow | GapRow;

export function eventRow(event: LogEvent): EventRow {
  return { kind: 'event', id: event.id, timestamp: event.timestamp, event };
}

/** A gap that stands above the row with this time. Its id sorts behind every event's, so nothing slips between. */
export function gapRow(count: number, timestamp: string, number: number, reason: Reason): GapRow {
  return { kind: 'gap', id: `~${String(number).padStart(9, '0')}`, timestamp, count, reason };
}

/** Those of `more` that the list has not, each once, newest first. */
export function unknown(rows: readonly Row[], more: readonly Row[]): readonly Row[] {
  const sorted = [...more].sort(newestFirst);
  const known = new Set(rows.slice(0, overlap(rows, sorted)).map((row) => row.id));
  return sorted.filter((row) => !known.has(row.id) && known.add(row.id));
}

/** Put rows where they belong. Those that are there already (by id) stay as they are. */
export function merge(rows: readonly Row[], more: readonly Row[]): readonly Row[] {
  const fresh = unknown(rows, more);

  if (fresh.length === 0) {
    return rows;
  }

  const touched = overlap(rows, fresh);
  return [...[...rows.slice(0, touched), ...fresh].sort(newestFirst), ...rows.slice(touched)];
}

/** How many rows stand above the oldest of `sorted`: new events concern the top of a long list, and only that is looked at. */
function overlap(rows: readonly Row[], sorted: readonly Row[]): number {
  const oldest = sorted.at(-1);
  const below = oldest === undefined ? 0 : rows.findIndex((row) => newestFirst(row, oldest) > 0);
  return below < 0 ? rows.length : below;
}

/** Keep the newest; say how many events went. */
export function keepNewest(rows: readonly Row[], limit: number): { rows: readonly Row[]; gone: number } {
  if (rows.length <= limit) {
    return { rows, gone: 0 };
  }

  const gone = rows.slice(limit).reduce((sum, row) => sum + (row.kind === 'gap' ? row.count : 1), 0);
  return { rows: rows.slice(0, limit), gone };
}
