/**
 * Where rows stand in a long list, some of which are higher than the others. Pure arithmetic.
 *
 * 1. Of a long list some rows are here, and it is known how many stand before and behind them.
 * 2. A row takes `rowHeight`, and what it shows more (it is open, its message is wrapped) on top of that.
 * 3. A place is found among the higher rows by halves, so that ten thousand of them cost no more than ten.
 * 4. A browser caps a box (Chromium at 33 million pixels). Beyond `MOST` the box stays as it is and stands for more:
 *    `Scale` says which pixel of the list is at the top for a place of the scroll bar, and back.
 */

export interface Open {
  readonly index: number;
  /** Height of what the row shows more, in pixels, without the row itself. */
  readonly height: number;
}

/** Rows of the list that are not here. */
export interface Beyond {
  readonly before: number;
  readonly behind: number;
}

export class Layout {
  readonly total: number;
  readonly before: number;
  readonly #count: number;
  readonly #rowHeight: number;
  readonly #opens: readonly Open[];
  /** Pixels of all that is open before each of them, and of all. */
  readonly #sums: readonly number[];

  /** `opens` are sorted by index. */
  constructor(
    count: number,
    rowHeight: number,
    opens: readonly Open[] = [],
    { before, behind }: Beyond = { before: 0, behind: 0 },
  ) {
    this.#count = count;
    this.#rowHeight = rowHeight;
    this.#opens = opens;
    this.before = before;
    let sum = 0;
    this.#sums = [0, ...opens.map((open) => (sum += open.height))];
    this.total = this.offset(count) + behind * rowHeight;
  }

  /** Pixels above a row. */
  offset(index: number): number {
    const before = this.#find((open) => open.index >= index);
    return (this.before + index) * this.#rowHeight + (this.#sums[before] ?? 0);
  }

  /** The row that covers a pixel, its open part included; before or behind those that are here, the nearest of them. */
  at(y: number): number {
    return Math.max(0, Math.min(this.row(y), Math.max(this.#count - 1, 0)));
  }

  /** The row that covers a pixel, counted from the first that is here. */
  row(y: number): number {
    const inside = y - this.before * this.#rowHeight;
    const before = this.#find((open, at) => (open.index + 1) * this.#rowHeight + (this.#sums[at + 1] ?? 0) > inside);
    const open = this.#opens[before];
    const row = Math.floor((inside - (this.#sums[before] ?? 0)) / this.#rowHeight);
    return open === undefined ? row : Math.min(row, open.index);
  }

  /** How many of the open rows come before the first for which this holds. */
  #find(holds: (open: Open, at: number) => boolean): number {
    let [low, high] = [0, this.#opens.length];

    while (low < high) {
      const middle = (low + high) >> 1;
      const open = this.#opens[middle];

      if (open === undefined || holds(open, middle)) {
        high = middle;
      } else {
        low = middle + 1;
      }
    }

    return low;
  }
}

/** Half of what Chromium can, and less than what Firefox can. */
export const MOST = 16_000_000;

export class Scale {
  /** Height of the box that scrolls. */
  readonly height: number;
  /** Pixels of the list for each pixel of the scroll bar. */
  readonly factor: number;

  constructor(total: number, view: number, most = MOST) {
    this.height = Math.min(total, most);
    this.factor = total <= most ? 1 : (total - view) / (most - view);
  }

  get isTrue(): boolean {
    return this.factor === 1;
  }

  /** The pixel of the list at the top of the view. */
  top(scrolled: number): number {
    return scrolled * this.factor;
  }

  /** Where the scroll bar has to be. */
  scrolled(top: number): number {
    return top / this.factor;
  }
}
