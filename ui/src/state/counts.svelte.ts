/** The chart's counts. Live, they are asked for again while events come, as often as the hub can bear. */

import { HubError, type Filter, type Hub } from '../api/hub';
import type { Counts } from '../model/answers';
import { momentIn, slotOf, spanOf } from '../model/rank';

const BUCKETS = 120;
/** Events of a bar that are looked for one by one. */
const FULL = 500;
/** A new chart at most this often, and at most a twentieth of the hub's time. */
const REFRESH_MS = 2000;
/** After a quiet time, events that come together are waited for this long. */
const GATHER_MS = 250;
const SHARE = 20;

export class CountsState {
  #counts = $state.raw<Counts>();
  #filter: Filter = { query: '' };
  #live = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #restMs = REFRESH_MS;
  #loadedAt = 0;
  /** Events came after the last counts were asked for. */
  #stale = false;
  #asking = false;
  /** The counts are those of the filter, and not of the one before. */
  #fresh = $state(false);
  #abort = new AbortController();
  readonly #hub: Hub;
  readonly #counted: () => void;

  /** `counted` is told of each new count. */
  constructor(hub: Hub, counted: () => void = () => undefined) {
    this.#hub = hub;
    this.#counted = counted;
  }

  get counts(): Counts | undefined {
    return this.#counts;
  }

  /** How many match; undefined until what is asked now has been counted. */
  get total(): number | undefined {
    return this.#fresh ? this.#counts?.total : undefined;
  }

  run(filter: Filter, live: boolean): void {
    this.#filter = filter;
    this.#live = live;
    this.#fresh = false;
    this.#abort.abort();
    this.#abort = new AbortController();
    clearTimeout(this.#timer);
    void this.#load();
  }

  /** Events came: what is shown is no longer true. */
  stale(): void {
    this.#stale = true;

    if (this.#live && !this.#asking && this.#timer === undefined) {
      const rested = performance.now() - this.#loadedAt;
      this.#timer = setTimeout(() => void this.#load(), Math.max(GATHER_MS, this.#restMs - rested));
    }
  }

  /** When the n-th newest event was, about; undefined if that is not known. A full bar is looked at more closely. */
  async momentOf(rank: number, signal?: AbortSignal): Promise<string | undefined> {
    const slot = this.#fresh && this.#counts ? slotOf(this.#counts, rank) : undefined;

    if (slot === undefined) {
      return undefined;
    }

    if (slot.count <= FULL || slot.to - slot.from < BUCKETS) {
      return momentIn(slot, rank);
    }

    const closer = await this.#hub.histogram({ query: this.#filter.query, ...spanOf(slot) }, BUCKETS, signal);
    const left = rank - slot.newer;
    const part = slotOf(closer, left);
    return part ? momentIn(part, left) : momentIn(slot, rank);
  }

  #again(): void {
    if (this.#stale) {
      this.stale();
    }
  }

  /** All time begins with the first event: a chart needs both ends. */
  async #bounded(signal: AbortSignal): Promise<Filter> {
    if (this.#filter.from !== undefined) {
      return this.#filter;
    }

    const first = await this.#hub.oldest(this.#filter.query, signal);
    return first === undefined ? this.#filter : { ...this.#filter, from: first.timestamp };
  }

  async #load(): Promise<void> {
    const { signal } = this.#abort;
    const started = performance.now();
    this.#timer = undefined;
    this.#asking = true;
    this.#stale = false;

    try {
      this.#counts = await this.#hub.histogram(await this.#bounded(signal), BUCKETS, signal);
      this.#fresh = true;
      this.#counted();
      this.#restMs = Math.max(REFRESH_MS, SHARE * (performance.now() - started));
    } catch (error) {
      // The search that runs beside this one fails for the same reason, and says so.
      if (!signal.aborted && !(error instanceof HubError)) {
        throw error;
      }
    } finally {
      if (!signal.aborted) {
        this.#asking = false;
        this.#loadedAt = performance.now();
        this.#again();
      }
    }
  }
}
