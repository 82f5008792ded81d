/**
 * The rows on the page and those that wait for it.
 *
 * 1. While the reader follows, events go on top as they come, and the list keeps the newest `limit`.
 * 2. While he reads (has scrolled away, opened a row, paused), the list stands still and events wait.
 * 3. What waits is bounded too: the oldest of it is let go, and a gap says how many.
 * 4. Pages are added at both ends. Beyond `most` rows the other end is let go, and loaded again when one goes there.
 * 5. How many there are beyond both ends is known about: `newer` and `older`. An end that is reached is none any more.
 * 6. While the newest rows are not in the list, nothing new is put on top of it: it waits.
 */

import type { LogEvent } from '../model/event';
import { isSkipped, type Part, type Skipped } from '../model/meanwhile';
import { eventRow, gapRow, keepNewest, merge, unknown, type GapRow, type Row } from '../model/rows';

export class RowsState {
  #rows = $state.raw<readonly Row[]>([]);
  #waiting = $state.raw<readonly Row[]>([]);
  #waitingEvents = $derived(this.#waiting.filter((row) => row.kind === 'event').length);
  #trimmed = $state(0);
  #following = true;
  #gaps = 0;
  /** There are newer events than the first of the list, and they are not in it. */
  #cut = $state(false);
  #newer = $state(0);
  #older = $state(0);
  readonly #limit: number;
  readonly #most: number;

  constructor(limit = 5000, most = 20_000) {
    this.#limit = limit;
    this.#most = most;
  }

  get rows(): readonly Row[] {
    return this.#rows;
  }

  get waiting(): number {
    return this.#waitingEvents;
  }

  /** Events at the old end that were let go; scrolling there loads them again. */
  get trimmed(): number {
    return this.#trimmed;
  }

  /** Newer events than those in the list exist, and are not in it. */
  get cut(): boolean {
    return this.#cut;
  }

  /** About how many newer events match that are not in the list, those that wait not counted. */
  get newer(): number {
    return this.#newer;
  }

  /** About how many older events match that are not in the list. */
  get older(): number {
    return this.#older;
  }

  /** So many match: what is neither here nor newer is older. */
  count(total: number, hasMore: boolean): void {
    const here = this.#rows.reduce((sum, row) => sum + sizeOf(row), 0);
    this.#older = hasMore ? Math.max(0, total - this.#newer - here) : 0;
  }

  /** There is nothing older. */
  end(): void {
    this.#older = 0;
  }

  /** Begin anew with these events, and with what came meanwhile. */
  reset(events: readonly LogEvent[] = [], meanwhile: readonly Part[] = []): void {
    this.#newer = this.#older = 0;
    this.enter(events, 0, meanwhile);
    this.#older = 0;
  }

  /** Stand somewhere else: above the first of these events are so many newer ones. */
  enter(events: readonly LogEvent[], newer: number, meanwhile: readonly Part[] = []): void {
    const all = this.#newer + this.#rows.length + this.#older;
    this.#rows = merge([], events.map(eventRow));
    this.#trimmed = 0;
    this.#cut = newer > 0;
    this.#newer = newer;
    this.#older = Math.max(0, all - newer - this.#rows.length);

    // What waits is among the newest.
    if (!this.#cut) {
      this.#waiting = [];
    }

    this.#each(meanwhile, (rows) => (this.#cut ? this.#wait(rows) : this.#show(rows)));
  }

  /** Take what came while the list was not to be touched. */
  addParts(parts: readonly Part[]): void {
    this.#each(parts, (rows) => this.#take(rows));
  }

  /** Add what a page of older events brought. */
  addPage(events: readonly LogEvent[]): void {
    const before = this.#rows.length;
    this.#trimmed = Math.max(0, this.#trimmed - events.length);
    const rows = merge(this.#rows, events.map(eventRow));
    const surplus = Math.max(0, rows.length - this.#most);
    this.#rows = surplus > 0 ? rows.slice(surplus) : rows;
    this.#cut ||= surplus > 0;
    this.#newer += surplus;
    this.#older = Math.max(0, this.#older - (rows.length - before));
  }

  /** Add events that were left out between others. */
  addBetween(events: readonly LogEvent[]): void {
    this.#rows = merge(this.#rows, events.map(eventRow));
  }

  /** Add a page of newer events; `cut` tells whether there are still newer ones. True if it had any that were not here. */
  addNewer(events: readonly LogEvent[], cut: boolean): boolean {
    const before = this.#rows;
    const merged = merge(before, events.map(eventRow));
    const { rows, gone } = keepNewest(merged, this.#most);
    this.#rows = rows;
    this.#trimmed += gone;
    this.#cut = cut;
    this.#newer = cut ? Math.max(0, this.#newer - (merged.length - before.length)) : 0;
    this.#older += gone;
    return rows !== before;
  }

  /** Take what just happened. */
  addLive(events: readonly LogEvent[]): void {
    this.#take(events.map(eventRow));
  }

  /** Show that events were left out here. */
  addGap(count: number): void {
    this.#take([this.#gap({ count, reason: 'behind' })]);
  }

  /** Take a gap away, now that its events are here; `left` of them are not yet, and they are the oldest. */
  close(gap: GapRow, below: Row | undefined, left: number): void {
    const rows = this.#rows.filter((row) => row !== gap);
    this.#rows = left > 0 ? merge(rows, [gapRow(left, below?.timestamp ?? '', this.#gaps++, gap.reason)]) : rows;
  }

  follow(on: boolean): void {
    this.#following = on && !this.#cut;

    if (this.#following) {
      this.release();
    }
  }

  /** Put what waits into the list. */
  release(): void {
    if (this.#waiting.length > 0) {
      const waiting = this.#waiting;
      this.#waiting = [];
      this.#show(waiting);
    }
  }

  #each(parts: readonly Part[], take: (rows: readonly Row[]) => void): void {
    for (const part of parts) {
      take(isSkipped(part) ? [this.#gap(part)] : part.map(eventRow));
    }
  }

  /** A gap above the newest row that there is. */
  #gap({ count, reason }: Skipped): GapRow {
    const top = this.#waiting[0] ?? this.#rows[0];
    return gapRow(count, top?.timestamp ?? '', this.#gaps++, reason);
  }

  #take(rows: readonly Row[]): void {
    if (this.#following && !this.#cut) {
      this.#show(rows);
    } else {
      this.#wait(rows);
    }
  }

  #wait(rows: readonly Row[]): void {
    const fresh = unknown(this.#rows, rows);
    const { rows: kept, gone } = keepNewest(merge(this.#waiting, fresh), this.#limit);
    const oldest = kept.at(-1);
    this.#waiting =
      gone > 0 && oldest
        ? [...kept.slice(0, -1), gapRow(gone + sizeOf(oldest), oldest.timestamp, this.#gaps++, 'held')]
        : kept;
  }

  #show(rows: readonly Row[]): void {
    const { rows: kept, gone } = keepNewest(merge(this.#rows, rows), this.#limit);
    this.#rows = kept;
    this.#trimmed += gone;
    this.#older += gone;
  }
}

function sizeOf(row: Row): number {
  return row.kind === 'gap' ? row.count : 1;
}
