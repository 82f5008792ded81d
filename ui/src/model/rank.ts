/**
 * Where the n-th newest event is, by a chart's counts: as exact as its bars are narrow. Pure.
 *
 * A list that may be entered anywhere needs no more: what is there is loaded, and both ends are met exactly by paging.
 */

import type { Counts } from './answers';

export interface Slot {
  /** Milliseconds since 1970. */
  readonly from: number;
  readonly to: number;
  readonly count: number;
  /** Events that are newer than all of it. */
  readonly newer: number;
}

/** The bar that has the event of this rank, 0 being the newest; undefined if there are not so many. */
export function slotOf({ from, to, series }: Counts, rank: number): Slot | undefined {
  const length = Math.max(0, ...series.map((one) => one.counts.length));
  const step = (to - from) / length;
  let newer = 0;

  for (let at = length - 1; at >= 0; at--) {
    const count = series.reduce((sum, one) => sum + (one.counts[at] ?? 0), 0);

    if (rank < newer + count) {
      return { from: from + at * step, to: from + (at + 1) * step, count, newer };
    }

    newer += count;
  }

  return undefined;
}

/** The moment of a rank in its bar, as if events stood evenly there: RFC 3339. */
export function momentIn({ from, to, count, newer }: Slot, rank: number): string {
  return new Date(Math.ceil(to - ((rank - newer) / count) * (to - from))).toISOString();
}

/** The bar as a range of its own. */
export function spanOf({ from, to }: Slot): { from: string; to: string } {
  return { from: new Date(from).toISOString(), to: new Date(Math.ceil(to)).toISOString() };
}
