/**
 * The rows on the page and those that wait for it.
 *
 * 1. While the reader follows, events go on top as they come, and the list keeps the newest `limit`.
 * 2. While he reads (has scrolled away, opened a row, paused), the list stands still and events wait.
 * 3. What waits is bounded too: the oldest of it is let go, and a gap says how many.
 * 4. Pages are added at both ends. Beyond `most` rows the other end is let go, and loaded again when one goes there.
 * 5. While the newest rows are not in the list, nothing new is put on top of it: it waits.
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

  /** Begin anew with these events, and with what came meanwhile. */
  reset(events: readonly LogEvent[] = [], meanwhile: readonly Part[] = [], cut = false): void {
    this.#rows = merge([], events.map(eventRow));
    this.#waiting = [];
    this.#trimmed = 0;
    this.#cut = cut;

    for (const part of meanwhile) {
      const rows = isSkipped(part) ? [this.#gap(part)] : part.map(eventRow);

      if (cut) {
        this.#wait(rows);
      } else {
        this.#show(rows);
      }
    }
  }

  /** Add what a page of older events, or one that fills a gap, brought. */
  addPage(events: readonly LogEvent[]): void {
    this.#trimmed = Math.max(0, this.#trimmed - events.length);
    const rows = merge(this.#rows, events.map(eventRow));
    const surplus = Math.max(0, rows.length - this.#most);
    this.#rows = surplus > 0 ? rows.slice(surplus) : rows;
    this.#cut ||= surplus > 0;
  }

  /** Add a page of newer events; `cut` tells whether there are still newer ones. True if it had any that were not here. */
  addNewer(events: readonly LogEvent[], cut: boolean): boolean {
    const before = this.#rows;
    const { rows, gone } = keepNewest(merge(before, events.map(eventRow)), this.#most);
    this.#rows = rows;
    this.#trimmed += gone;
    this.#cut = cut;
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
  }
}

function sizeOf(row: Row): number {
  return row.kind === 'gap' ? row.count : 1;
}
