/**
 * How the reader stands in the list: where he has scrolled, which row is his, which are open.
 *
 * He follows the tail while he is at its end of the list and reads nothing: no open row in sight, no text selected, no
 * pause. Where the list is higher than a browser can make a box, the scroll bar is scaled, and the wheel goes by pixels
 * all the same.
 */

import { SvelteMap } from 'svelte/reactivity';
import { Layout, Scale, type Open } from '../../model/layout';
import type { Row } from '../../model/rows';
import type { LogsState } from '../../state/logs.svelte';
import type { SettingsState } from '../../state/settings.svelte';

const OVERSCAN = 10;
const HEIGHTS = { dense: 22, airy: 30 };
/** Until it has been measured. */
const DETAILS = 240;
/** So near to the end counts as there, in pixels. */
const NEAR = 4;

export class ListState {
  #top = $state(0);
  #height = $state(0);
  #atNewest = $state(true);
  #selecting = $state(false);
  #active = $state<string>();
  readonly #opened = new SvelteMap<string, number>();
  /** What wrapped rows take beyond one line. */
  readonly #wrapped = new SvelteMap<string, number>();
  readonly #logs: LogsState;
  readonly #settings: SettingsState;
  /** Moves the scroll bar; set by the list that is on the page. */
  scrollBar: (top: number) => void = () => undefined;

  readonly rowHeight: number = $derived.by(() => HEIGHTS[this.#settings.density]);
  readonly rows: readonly Row[] = $derived.by(() =>
    this.#settings.order === 'newest' ? this.#logs.rows.rows : this.#logs.rows.rows.toReversed(),
  );
  readonly #opens: readonly Open[] = $derived.by(() => this.#higher());
  readonly layout: Layout = $derived(new Layout(this.rows.length, this.rowHeight, this.#opens));
  readonly scale: Scale = $derived(new Scale(this.layout.total, this.#height));
  readonly first: number = $derived(Math.max(0, this.layout.at(this.#top) - OVERSCAN));
  readonly last: number = $derived.by(() =>
    Math.min(this.rows.length, this.layout.at(this.#top + this.#height) + OVERSCAN + 1),
  );
  readonly #reading: boolean = $derived.by(
    () => this.#opened.size > 0 && this.rows.slice(this.first, this.last).some((row) => this.#opened.has(row.id)),
  );
  readonly following: boolean = $derived.by(
    () => this.#atNewest && !this.#reading && !this.#selecting && !this.#logs.tail.paused,
  );

  constructor(logs: LogsState, settings: SettingsState) {
    this.#logs = logs;
    this.#settings = settings;
  }

  get active(): string | undefined {
    return this.#active;
  }

  /** The pixel of the list at the top of the view. */
  get top(): number {
    return this.#top;
  }

  get height(): number {
    return this.#height;
  }

  /** Where a row stands in the box that scrolls. */
  place(index: number): number {
    return this.layout.offset(index) - this.#top + this.scale.scrolled(this.#top);
  }

  isOpen(id: string): boolean {
    return this.#opened.has(id);
  }

  /** The scroll bar has moved, or the view has another size. */
  onView(scrolled: number, height: number): void {
    this.#height = height;

    // Scaled, a pixel of the bar is many of the list: the place is kept while the bar is where it was put.
    if (this.scale.isTrue || Math.abs(scrolled - this.scale.scrolled(this.#top)) >= 1) {
      this.#top = this.scale.top(scrolled);
    }

    this.#settle();
  }

  /** Move the view to a pixel of the list. */
  goTo(top: number): void {
    this.#top = Math.max(0, Math.min(top, this.layout.total - this.#height));
    this.scrollBar(this.scale.scrolled(this.#top));
    this.#settle();
  }

  /** Stand where new events come in. */
  goHome(): void {
    this.goTo(this.#settings.order === 'newest' ? 0 : this.layout.total);
    this.#atNewest = true;
  }

  onSelection(selecting: boolean): void {
    this.#selecting = selecting;
  }

  measure(id: string, height: number): void {
    if (height > 0 && this.#opened.has(id)) {
      this.#opened.set(id, height);
    }
  }

  measureRow(id: string, height: number): void {
    const more = this.#settings.wrap ? Math.max(0, height - this.rowHeight) : 0;

    if ((this.#wrapped.get(id) ?? 0) !== more) {
      this.#wrapped.set(id, more);
    }
  }

  /** Nothing is wrapped any more, or otherwise. */
  unwrap(): void {
    this.#wrapped.clear();
  }

  open(id: string): void {
    this.#active = id;
    this.#opened.set(id, this.#opened.get(id) ?? DETAILS);
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
    const now = this.rows.findIndex((row) => row.id === this.#active);
    const next = now < 0 ? this.layout.at(this.#top) : Math.min(Math.max(now + by, 0), this.rows.length - 1);
    this.#active = this.rows[next]?.id;
    this.reveal(next);
  }

  jumpToNewest(): void {
    this.#active = undefined;

    if (this.#logs.rows.cut) {
      this.#logs.run();
    } else {
      this.#logs.rows.release();
    }

    this.goHome();
  }

  async jumpToOldest(): Promise<void> {
    await this.#logs.fromOldest();
    this.#active = this.#logs.rows.rows.at(-1)?.id;
    this.#atNewest = false;
    this.goTo(this.#settings.order === 'newest' ? this.layout.total : 0);
  }

  reveal(index: number): void {
    const [top, bottom] = [this.layout.offset(index), this.layout.offset(index) + this.rowHeight];

    if (top < this.#top) {
      this.goTo(top);
    } else if (bottom > this.#top + this.#height) {
      this.goTo(bottom - this.#height);
    }
  }

  #settle(): void {
    const end = this.#settings.order === 'newest' ? 0 : this.layout.total - this.#height;
    this.#atNewest = Math.abs(this.#top - Math.max(end, 0)) < NEAR;
  }

  #higher(): Open[] {
    if (this.#opened.size === 0 && this.#wrapped.size === 0) {
      return [];
    }

    return this.rows.flatMap((row, index) => {
      const height = (this.#opened.get(row.id) ?? 0) + (this.#wrapped.get(row.id) ?? 0);
      return height > 0 ? [{ index, height }] : [];
    });
  }
}
