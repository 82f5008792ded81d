/**
 * What a tail brings while the search is not back yet, in order: events, and gaps where some are not among them.
 *
 * Only so many events are kept, the newest; a gap at the beginning says how many were let go.
 */

import type { LogEvent } from './event';
import type { Reason } from './rows';

export interface Skipped {
  readonly count: number;
  readonly reason: Reason;
}

export type Part = readonly LogEvent[] | Skipped;

export function isSkipped(part: Part): part is Skipped {
  return 'reason' in part;
}

export class Meanwhile {
  #parts: Part[] = [];
  #held = 0;
  #size = 0;
  readonly #limit: number;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get parts(): readonly Part[] {
    return this.#held > 0 ? [{ count: this.#held, reason: 'held' }, ...this.#parts] : this.#parts;
  }

  add(events: readonly LogEvent[]): void {
    this.#parts.push(events);
    this.#size += events.length;
    this.#trim();
  }

  /** The hub left out some events here. */
  skip(count: number): void {
    this.#parts.push({ count, reason: 'behind' });
  }

  #trim(): void {
    while (this.#size > this.#limit) {
      const first = this.#parts.shift();

      if (first === undefined) {
        return;
      }

      if (isSkipped(first)) {
        this.#held += first.count;
        continue;
      }

      const surplus = Math.min(this.#size - this.#limit, first.length);
      this.#held += surplus;
      this.#size -= surplus;

      if (surplus < first.length) {
        this.#parts.unshift(first.slice(surplus));
      }
    }
  }
}
