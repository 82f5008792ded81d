/**
 * The rows on the page and those that wait for it.
 *
 * 1. While the reader follows, events go on top as they come, and the list keeps the newest `limit`.
 * 2. While he reads (has scrolled away, opened a row, paused), the list stands still and events wait.
 * 3. What waits is bounded too: the oldest of it is let go, and a gap says how many.
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
  readonly #limit: number;

  constructor(limit = 5000) {
    this.#limit = limit;
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

  /** Begin anew with these events, and with what came meanwhile. */
  reset(events: readonly LogEvent[] = [], meanwhile: readonly Part[] = []): void {
    this.#rows = merge([], events.map(eventRow));
    this.#waiting = [];
    this.#trimmed = 0;

    for (const part of meanwhile) {
      this.#show(isSkipped(part) ? [this.#gap(part)] : part.map(eventRow));
    }
  }

  /** Add what a page of older events, or one that fills a gap, brought. */
  addPage(events: readonly LogEvent[]): void {
    this.#trimmed = Math.max(0, this.#trimmed - events.length);
    this.#rows = merge(this.#rows, events.map(eventRow));
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
    this.#following = on;

    if (on) {
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
    if (this.#following) {
      this.#show(rows);
      return;
    }

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
