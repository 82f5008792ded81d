/**
 * How the reader stands in the list: where he has scrolled, which row is his, which are open.
 *
 * The scroll bar stands for all that matches, though only some of it is here: who goes where nothing is gets there.
 *
 * He follows the tail while he is at its end of the list and reads nothing: no open row in sight, no text selected, no
 * pause. Where the list is higher than a browser can make a box, the scroll bar is scaled: a way of less than a view
 * (wheel, finger, keys) goes by pixels all the same, a longer one (the bar was dragged) by the scale. The bar is put
 * where it belongs when it has come to rest.
 */

import { SvelteMap } from 'svelte/reactivity';
import { Layout, Scale, type Beyond, type Open } from '../../model/layout';
import type { Row } from '../../model/rows';
import type { LogsState } from '../../state/logs.svelte';
import type { SettingsState } from '../../state/settings.svelte';

const OVERSCAN = 10;
const HEIGHTS = { dense: 22, airy: 30 };
/** Until it has been measured. */
const DETAILS = 240;
/** So near to the end counts as there, in pixels. */
const NEAR = 4;
/** Rows beyond those that are here which are reached page by page; what is farther is loaded at once. */
const FAR = 400;
/** Where a browser does not tell when a scroll bar has come to rest. */
const REST_MS = 'onscrollend' in globalThis ? undefined : 300;

export class ListState {
  #top = $state(0);
  /** Where the scroll bar is. */
  #bar = $state(0);
  #atEnd = false;
  #rest: ReturnType<typeof setTimeout> | undefined;
  /** What stands at the top of the view: the row, and how far it is scrolled. */
  #anchor: { readonly id: string; readonly delta: number } | undefined;
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
  readonly #beyond: Beyond = $derived.by(() => {
    const { newer, older } = this.#logs.rows;
    return this.#settings.order === 'newest' ? { before: newer, behind: older } : { before: older, behind: newer };
  });
  readonly layout: Layout = $derived(new Layout(this.rows.length, this.rowHeight, this.#opens, this.#beyond));
  readonly scale: Scale = $derived(new Scale(this.layout.total, this.#height));
  readonly first: number = $derived(Math.max(0, this.layout.at(this.#top) - OVERSCAN));
  readonly last: number = $derived.by(() =>
    Math.min(this.rows.length, this.layout.at(this.#top + this.#height) + OVERSCAN + 1),
  );
  /** All rows that there are, here or not. */
  readonly count: number = $derived(this.#beyond.before + this.rows.length + this.#beyond.behind);
  /** Of what is in sight, nothing is here. */
  readonly isBlank: boolean = $derived.by(() => {
    const [first, last] = this.#sight();
    return this.rows.length > 0 && (last < 0 || first >= this.rows.length);
  });
  /** Which of all events, counted from the newest, is in sight, where that is far from what is here. */
  readonly away: number | undefined = $derived.by(() => {
    const [first, last] = this.#sight();
    const far = this.rows.length > 0 && (last < -FAR || first > this.rows.length + FAR);
    const place = this.layout.before + Math.round((first + last) / 2);
    return far ? (this.#settings.order === 'newest' ? place : Math.max(0, this.count - place)) : undefined;
  });
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
    return this.layout.offset(index) - this.#top + this.#bar;
  }

  isOpen(id: string): boolean {
    return this.#opened.has(id);
  }

  /** The scroll bar has moved, or the view has another size. */
  onView(scrolled: number, height: number): void {
    const way = scrolled - this.#bar;
    this.#height = height;
    this.#bar = scrolled;

    if (this.scale.isTrue) {
      this.#top = scrolled;
    } else if (Math.abs(way) >= 1) {
      this.#top = this.#within(Math.abs(way) <= height ? this.#top + way : this.scale.top(scrolled));
      this.#settleBar(scrolled);
    }

    this.#settle();
    this.#hold();
  }

  /** The scroll bar has come to rest. */
  onRest(): void {
    if (!this.scale.isTrue) {
      this.#putBar();
    }
  }

  /** Move the view to a pixel of the list. */
  goTo(top: number): void {
    this.#top = this.#within(top);
    this.#putBar();
    this.#settle();
    this.#hold();
  }

  /** Rows came or went, or are higher than was thought: what is read stays where it is. */
  keep(layout: Layout, rows: readonly Row[]): void {
    const held = this.#anchor;

    if (this.following) {
      this.goHome();
    } else if (this.#top !== this.#within(this.#top)) {
      // There are fewer than was thought.
      this.goTo(this.#top);
    } else if (held === undefined) {
      // Nothing of the view was here: one who went to the end wants the end, wherever it turns out to be.
      this.goTo(this.#atEnd ? layout.total : this.#top);
    } else if (this.#top > 0) {
      const index = rows.findIndex((row) => row.id === held.id);
      const top = layout.offset(index) + held.delta;

      if (index >= 0 && Math.abs(this.#top - top) > 0.5) {
        this.goTo(top);
      }
    }
  }

  /** Stand where new events come in. */
  goHome(): void {
    this.#anchor = undefined;
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
    // The view goes first: what is loaded is what is in sight.
    this.#goToOldest();
    await this.#logs.fromOldest();
    this.#active = this.#logs.rows.rows.at(-1)?.id;
    this.#goToOldest();
  }

  /** Go by views, not quite a whole one. */
  page(by: number): void {
    this.goTo(this.#top + by * (this.#height - this.rowHeight));
  }

  reveal(index: number): void {
    const [top, bottom] = [this.layout.offset(index), this.layout.offset(index) + this.rowHeight];

    if (top < this.#top) {
      this.goTo(top);
    } else if (bottom > this.#top + this.#height) {
      this.goTo(bottom - this.#height);
    }
  }

  #goToOldest(): void {
    this.goTo(this.#settings.order === 'newest' ? this.layout.total : 0);
  }

  #within(top: number): number {
    return Math.max(0, Math.min(top, this.layout.total - this.#height));
  }

  /** The rows at the top and the bottom of the view, counted from the first that is here. */
  #sight(): [number, number] {
    return [this.layout.row(this.#top), this.layout.row(this.#top + this.#height)];
  }

  #hold(): void {
    const index = this.layout.row(this.#top);
    const row = this.rows[index];
    this.#anchor = row && { id: row.id, delta: this.#top - this.layout.offset(index) };
  }

  #putBar(): void {
    clearTimeout(this.#rest);
    const bar = this.scale.scrolled(this.#top);

    // To move it costs a layout: not where it is already.
    if (Math.abs(bar - this.#bar) >= 0.5) {
      this.#bar = bar;
      this.scrollBar(bar);
    }
  }

  /** A scaled bar that went by pixels is not where it belongs: at once where it can go no further, else when it rests. */
  #settleBar(scrolled: number): void {
    clearTimeout(this.#rest);
    const [atTop, atEnd] = [scrolled < 1, scrolled > this.scale.height - this.#height - 1];
    const stuck = (atTop && this.#top > 0) || (atEnd && this.#top < this.layout.total - this.#height);

    if (stuck) {
      this.#putBar();
    } else if (REST_MS !== undefined) {
      this.#rest = setTimeout(() => this.onRest(), REST_MS);
    }
  }

  #settle(): void {
    this.#atEnd = this.#top > this.layout.total - this.#height - NEAR;
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
