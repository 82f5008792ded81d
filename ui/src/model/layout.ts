/**
 * Where rows stand in a long list, some of which are higher than the others. Pure arithmetic.
 *
 * 1. A row takes `rowHeight`, and what it shows more (it is open, its message is wrapped) on top of that.
 * 2. A place is found among the higher rows by halves, so that ten thousand of them cost no more than ten.
 * 3. A browser caps a box (Chromium at 33 million pixels). Beyond `MOST` the box stays as it is and stands for more:
 *    `Scale` says which pixel of the list is at the top for a place of the scroll bar, and back.
 */

export interface Open {
  readonly index: number;
  /** Height of what the row shows more, in pixels, without the row itself. */
  readonly height: number;
}

export class Layout {
  readonly total: number;
  readonly #count: number;
  readonly #rowHeight: number;
  readonly #opens: readonly Open[];
  /** Pixels of all that is open before each of them, and of all. */
  readonly #sums: readonly number[];

  /** `opens` are sorted by index. */
  constructor(count: number, rowHeight: number, opens: readonly Open[] = []) {
    this.#count = count;
    this.#rowHeight = rowHeight;
    this.#opens = opens;
    let sum = 0;
    this.#sums = [0, ...opens.map((open) => (sum += open.height))];
    this.total = this.offset(count);
  }

  /** Pixels above a row. */
  offset(index: number): number {
    const before = this.#find((open) => open.index >= index);
    return index * this.#rowHeight + (this.#sums[before] ?? 0);
  }

  /** The row that covers a pixel, its open part included. */
  at(y: number): number {
    const before = this.#find((open, at) => (open.index + 1) * this.#rowHeight + (this.#sums[at + 1] ?? 0) > y);
    const open = this.#opens[before];
    const row = Math.floor((y - (this.#sums[before] ?? 0)) / this.#rowHeight);
    const found = open === undefined ? row : Math.min(row, open.index);
    return Math.max(0, Math.min(found, Math.max(this.#count - 1, 0)));
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
