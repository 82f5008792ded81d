/**
 * How the reader stands in the list: where he has scrolled, which row is his, which are open.
 *
 * He follows the tail while he is at the top and reads nothing: no open row in sight, no text selected, no pause.
 */

import { SvelteMap } from 'svelte/reactivity';
import { offsetOf, indexAt, type Open } from '../../model/layout';
import type { LogsState } from '../../state/logs.svelte';

export const ROW = 22;
const OVERSCAN = 10;
/** Until it has been measured. */
const DETAILS = 240;

export class ListState {
  #top = $state(0);
  #height = $state(0);
  #selecting = $state(false);
  #active = $state<string>();
  readonly #opened = new SvelteMap<string, number>();
  readonly #logs: LogsState;
  /** Moves the view; set by the list that is on the page. */
  scrollTo: (top: number) => void = () => undefined;

  readonly opens: readonly Open[] = $derived.by(() => {
    const opens: Open[] = [];

    if (this.#opened.size > 0) {
      this.#logs.rows.rows.forEach((row, index) => {
        const height = this.#opened.get(row.id);

        if (height !== undefined) {
          opens.push({ index, height });
        }
      });
    }

    return opens;
  });

  readonly total: number = $derived.by(() => this.offset(this.#logs.rows.rows.length));
  readonly first: number = $derived(Math.max(0, this.#at(this.#top) - OVERSCAN));
  readonly last: number = $derived.by(() =>
    Math.min(this.#logs.rows.rows.length, this.#at(this.#top + this.#height) + OVERSCAN),
  );
  readonly #reading: boolean = $derived(
    this.opens.some(
      (open) => this.offset(open.index) < this.#top + this.#height && this.offset(open.index + 1) > this.#top,
    ),
  );
  readonly following: boolean = $derived.by(
    () => this.#top < 4 && !this.#reading && !this.#selecting && !this.#logs.tail.paused,
  );

  constructor(logs: LogsState) {
    this.#logs = logs;
  }

  get active(): string | undefined {
    return this.#active;
  }

  get top(): number {
    return this.#top;
  }

  offset(index: number): number {
    return offsetOf(index, ROW, this.opens);
  }

  isOpen(id: string): boolean {
    return this.#opened.has(id);
  }

  /** The view has moved, or has another size. */
  onView(top: number, height: number): void {
    this.#top = top;
    this.#height = height;
  }

  onSelection(selecting: boolean): void {
    this.#selecting = selecting;
  }

  measure(id: string, height: number): void {
    if (height > 0 && this.#opened.has(id)) {
      this.#opened.set(id, height);
    }
  }

  toggle(id: string): void {
    this.#active = id;

    if (!this.#opened.delete(id)) {
      this.#opened.set(id, DETAILS);
    }
  }

  toggleActive(): void {
    if (this.#active !== undefined) {
      this.toggle(this.#active);
    }
  }

  closeAll(): void {
    this.#opened.clear();
  }

  /** Go up or down by rows; the first step takes the row at the top of the view. */
  move(by: number): void {
    const rows = this.#logs.rows.rows;
    const now = rows.findIndex((row) => row.id === this.#active);
    const next = now < 0 ? this.#at(this.#top) : Math.min(Math.max(now + by, 0), rows.length - 1);
    this.#active = rows[next]?.id;
    this.#reveal(next);
  }

  jumpToNewest(): void {
    this.#logs.rows.release();
    this.#active = undefined;
    this.scrollTo(0);
  }

  jumpToOldest(): void {
    this.#active = this.#logs.rows.rows.at(-1)?.id;
    this.scrollTo(this.total);
  }

  #at(y: number): number {
    return indexAt(y, ROW, this.opens);
  }

  #reveal(index: number): void {
    const [top, bottom] = [this.offset(index), this.offset(index) + ROW];

    if (top < this.#top) {
      this.scrollTo(top);
    } else if (bottom > this.#top + this.#height) {
      this.scrollTo(bottom - this.#height);
    }
  }
}
