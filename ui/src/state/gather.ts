/**
 * Brings together what comes faster than an eye can follow.
 *
 * A few events are passed on as they come. More of them, within `WINDOW_MS`, wait for its end: drawing fifty times a
 * second what nobody can read would take the page's time from its reader. What waits is bounded, and in order.
 */

const WINDOW_MS = 100;
const FEW = 40;
const MOST = 5000;

export class Gather<T> {
  #items: T[] = [];
  #passed = 0;
  #began = -Infinity;
  #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #deliver: (items: readonly T[]) => void;

  constructor(deliver: (items: readonly T[]) => void) {
    this.#deliver = deliver;
  }

  add(items: readonly T[]): void {
    const now = performance.now();

    if (now - this.#began > WINDOW_MS && this.#items.length === 0) {
      this.#began = now;
      this.#passed = 0;
    }

    this.#items.push(...items);
    this.#passed += items.length;

    if (this.#passed <= FEW || this.#items.length >= MOST) {
      this.flush();
    } else {
      this.#timer ??= setTimeout(() => this.flush(), WINDOW_MS);
    }
  }

  /** Pass on what waits. */
  flush(): void {
    const items = this.#items;
    this.clear();

    if (items.length > 0) {
      this.#deliver(items);
    }
  }

  /** Forget what waits. */
  clear(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#items = [];
  }
}

/** Of so many events a second, one can be seen: as many as `FEW` in each window can. */
export function oneSeenOf(perSecond: number): number {
  return Math.max(1, Math.round((perSecond * WINDOW_MS) / 1000 / FEW));
}
