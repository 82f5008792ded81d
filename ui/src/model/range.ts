/** Ranges of time `[from, to)`: back from now, or between two moments. */

import { full, type Zone } from './time';

export type Range =
  | { readonly kind: 'last'; readonly key: RelativeKey }
  /** RFC 3339. */
  | { readonly kind: 'between'; readonly from: string; readonly to: string };

export type RelativeKey = '5m' | '15m' | '1h' | '6h' | '24h' | '7d' | 'all';

export const RELATIVE: Readonly<Record<RelativeKey, string>> = {
  '5m': 'Last 5 minutes',
  '15m': 'Last 15 minutes',
  '1h': 'Last hour',
  '6h': 'Last 6 hours',
  '24h': 'Last 24 hours',
  '7d': 'Last 7 days',
  all: 'All time',
};

export const DEFAULT_RANGE: Range = { kind: 'last', key: '15m' };

/** The range as parameters of the API; relative ones stay so, since only the hub's clock counts. */
export function bounds(range: Range): { from?: string; to?: string } {
  if (range.kind === 'between') {
    return { from: range.from, to: range.to };
  }

  return range.key === 'all' ? {} : { from: `-${range.key}` };
}

/** `Last hour`, or both moments: `14:00:00 – 14:05:00`, with the day where it is not one. */
export function describeRange(range: Range, zone: Zone): string {
  if (range.kind === 'last') {
    return RELATIVE[range.key];
  }

  const [start, end] = [full(range.from, zone), full(range.to, zone)];
  const sameDay = start.slice(0, 10) === end.slice(0, 10);
  return `${start.slice(sameDay ? 11 : 5, 19)} – ${end.slice(sameDay ? 11 : 5, 19)}`;
}

export function isRelativeKey(text: string): text is RelativeKey {
  return Object.hasOwn(RELATIVE, text);
}

export function sameRange(a: Range, b: Range): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
