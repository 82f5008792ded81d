/**
 * The Logs screen: what is asked for, and what came.
 *
 * A live search loses nothing between its two halves: the tail is opened first, and searched is only when the hub has
 * said where the tail stands. What both bring is one row, by id.
 */

import { HubError, type Filter, type Hub } from '../api/hub';
import type { OpenTail } from '../api/tail';
import type { Page } from '../model/answers';
import type { LogEvent } from '../model/event';
import type { Place } from '../model/permalink';
import { bounds, DEFAULT_RANGE, sameRange, type Range } from '../model/range';
import type { GapRow } from '../model/rows';
import { justAfter } from '../model/time';
import { TAIL_ONLY, type Failure } from './answer.svelte';
import { CountsState } from './counts.svelte';
import { Gather } from './gather';
import { RateState } from './rate.svelte';
import { Meanwhile, type Part } from '../model/meanwhile';
import { RowsState } from './rows.svelte';
import { TailState } from './tail.svelte';

const PAGE = 200;
const BIG_PAGE = 1000;
const GAP_PAGE = 1000;
const GAP_PAGES = 10;
const EARLY = 5000;

/** A page to stand in, and about how many events are newer than it. */
interface Entry {
  readonly page: Page;
  readonly newer: number;
}

export class LogsState {
  readonly rows = new RowsState();
  readonly counts: CountsState;
  readonly rate = new RateState();
  readonly tail: TailState;
  #query = $state('');
  #range = $state.raw<Range>(DEFAULT_RANGE);
  #live = $state(false);
  #page = $state.raw<Omit<Page, 'events' | 'cursor'>>();
  #answered = $state.raw<Place>();
  #cursor = $state.raw<string | null>(null);
  #failure = $state.raw<Failure>();
  /** What was found out when the tail was lost. */
  #loss = $state.raw<Failure>();
  #busy = $state(false);
  #paging = $state(false);
  /** The page that is on its way, or was the last. */
  #turned = Promise.resolve();
  /** What the tail brought before the search was back; undefined when the list is there. */
  #early: Meanwhile | undefined;
  /** Which load counts: the answer to an earlier one comes too late. */
  #turn = 0;
  #abort = new AbortController();
  readonly #hub: Hub;
  readonly #gather = new Gather<LogEvent>((events) =>
    this.#early === undefined ? this.rows.addLive(events) : this.#early.add(events),
  );

  constructor(hub: Hub, open: OpenTail) {
    this.#hub = hub;
    this.counts = new CountsState(hub, () => this.#measure());
    this.tail = new TailState(open, {
      synced: () => void this.#load(),
      failed: () => void (this.#early === undefined ? this.#probe() : this.#load()),
      deliver: (events) => {
        this.#deliver(events);
      },
      skipped: (count) => {
        this.#gather.flush();

        if (this.#early === undefined) {
          this.rows.addGap(count);
        } else {
          this.#early.skip(count);
        }
      },
    });
  }

  get query(): string {
    return this.#query;
  }

  get range(): Range {
    return this.#range;
  }

  get live(): boolean {
    return this.#live;
  }

  get place(): Place {
    return { query: this.#query, range: this.#range, live: this.#live };
  }

  /** Figures of the last search; undefined before the first. */
  get page(): Omit<Page, 'events' | 'cursor'> | undefined {
    return this.#page;
  }

  /** What the events on the page are the answer to; undefined before the first. */
  get answered(): Place | undefined {
    return this.#answered;
  }

  /** The answer to what is asked now did not come: the events are those of what was asked before. */
  get stale(): boolean {
    const answered = this.#answered;
    const same = answered?.query === this.#query && sameRange(answered.range, this.#range);
    return this.#failure !== undefined && answered !== undefined && !same;
  }

  /** Why there is no answer, or why nothing comes any more. */
  get failure(): Failure | undefined {
    return this.#failure ?? (this.tail.away ? this.#loss : undefined);
  }

  get busy(): boolean {
    return this.#busy;
  }

  /** Older or newer events are on their way. */
  get paging(): boolean {
    return this.#paging;
  }

  /** There are older events than those in the list. */
  get hasMore(): boolean {
    return this.#cursor !== null || this.rows.trimmed > 0;
  }

  /** The hub asks for its token. Who else answers 401 stands in front of it, and takes no token of ours. */
  get signedOut(): boolean {
    return this.#failure?.status === 401 && this.#failure.problem.code === 'token_needed';
  }

  /** Ask for something else, or the same again. */
  run(place: Place = this.place): void {
    this.#query = place.query;
    this.#range = place.range;
    this.#live = place.live && place.range.kind === 'last';
    this.#abort.abort();
    this.#abort = new AbortController();
    this.#early = new Meanwhile(EARLY);
    this.#gather.clear();
    this.#busy = true;

    if (this.#live) {
      this.tail.start(place.query);
    } else {
      this.tail.stop();
      void this.#load();
    }
  }

  /** Load the next older events. */
  async more(): Promise<void> {
    if (this.hasMore) {
      await this.#turnPage(async (signal) => {
        const page = await this.#older(signal);
        this.#cursor = page.cursor;
        this.rows.addPage(page.events);
        this.#endWithout();
      });
    }
  }

  /** Load what is around the n-th newest event, in place of what is loaded. */
  enter(rank: number): Promise<void> {
    return this.#replace(async (signal) => {
      const newer = Math.max(0, rank - PAGE / 2);
      const to = newer === 0 ? undefined : await this.counts.momentOf(newer, signal);
      const filter = { ...this.#filter(), ...(to === undefined ? {} : { to }) };
      const page = await this.#hub.search(filter, PAGE, null, signal);
      return page.events.length === 0 ? await this.#oldest(signal) : { page, newer: to === undefined ? 0 : newer };
    });
  }

  /** Load the next newer events, where the list does not have the newest. */
  async newer(): Promise<void> {
    const top = this.rows.rows[0];

    if (!this.rows.cut || top === undefined) {
      return;
    }

    await this.#turnPage(async (signal) => {
      const filter = { ...this.#filter(), from: top.timestamp };
      let cursor: string | null = null;

      // A thousand events of the same microsecond are one page without anything new.
      do {
        const page: Page = await this.#hub.earliest(filter, BIG_PAGE, cursor, signal);
        cursor = page.cursor;

        if (this.rows.addNewer(page.events, cursor !== null)) {
          break;
        }
      } while (cursor !== null);
    });
  }

  /** Begin the list with the oldest events of the range. */
  async fromOldest(): Promise<void> {
    while (this.#paging) {
      await this.#turned;
    }

    if (this.hasMore) {
      await this.#replace((signal) => this.#oldest(signal));
    }
  }

  /** Load what the tail had to leave out: everything between the rows around it. */
  async fill(gap: GapRow): Promise<void> {
    const rows = this.rows.rows;
    const index = rows.indexOf(gap);
    const [above, below] = [rows[index - 1], rows[index + 1]];
    const range = { ...(below ? { from: below.timestamp } : {}), ...(above ? { to: justAfter(above.timestamp) } : {}) };

    await this.#attempt(async (signal) => {
      let cursor: string | null = null;
      let left = gap.count;

      for (let pages = 0; pages < GAP_PAGES; pages++) {
        const page: Page = await this.#hub.search({ query: this.#query, ...range }, GAP_PAGE, cursor, signal);
        this.rows.addBetween(page.events);
        left -= page.events.length;
        cursor = page.cursor;

        if (cursor === null) {
          break;
        }
      }

      this.rows.close(gap, below, cursor === null ? 0 : Math.max(left, 1));
    });
  }

  /** Put other events into the list; what the tail brings meanwhile is not lost. */
  async #replace(find: (signal: AbortSignal) => Promise<Entry>): Promise<void> {
    const early = new Meanwhile(EARLY);
    let found: Entry | undefined;
    await this.#turnPage(async (signal) => {
      this.#early = early;
      found = await find(signal);
    });

    // Something else was asked for: that has begun anew.
    if (this.#early === early) {
      this.#early = undefined;
      this.#put(found, early.parts);
    }
  }

  #put(found: Entry | undefined, meanwhile: readonly Part[]): void {
    if (found === undefined) {
      this.rows.addParts(meanwhile);
      return;
    }

    this.#cursor = found.page.cursor;
    this.rows.enter(found.page.events, found.newer, meanwhile);
    this.#endWithout();
  }

  /** Nothing is older than the end of the list. */
  #endWithout(): void {
    if (!this.hasMore) {
      this.rows.end();
    }
  }

  /** One after the other: while a page is on its way, no other is asked for. */
  #turnPage(work: (signal: AbortSignal) => Promise<void>): Promise<void> {
    if (!this.#paging && this.#early === undefined) {
      this.#paging = true;
      this.#turned = this.#attempt(work).then(() => {
        this.#paging = false;
      });
    }

    return this.#turned;
  }

  async #oldest(signal: AbortSignal): Promise<Entry> {
    const page = await this.#hub.earliest(this.#filter(), BIG_PAGE, null, signal);
    const newer = Math.max(1, (this.counts.total ?? 0) - page.events.length);
    // Its cursor leads to newer events, and there are no older ones.
    return { page: { ...page, cursor: null }, newer: page.cursor === null ? 0 : newer };
  }

  /** So many match in all: the list knows how much is beyond its ends. */
  #measure(): void {
    const { total } = this.counts;

    if (total !== undefined && this.#early === undefined) {
      this.rows.count(total, this.hasMore);
    }
  }

  #older(signal: AbortSignal): Promise<Page> {
    const oldest = this.rows.rows.at(-1);

    // The cursor stands where paging stopped; rows above it were let go, so it begins again below the last that is there.
    if (this.rows.trimmed > 0 && oldest !== undefined) {
      return this.#hub.search({ ...this.#filter(), to: justAfter(oldest.timestamp) }, PAGE, null, signal);
    }

    return this.#hub.search(this.#filter(), PAGE, this.#cursor, signal);
  }

  async #load(): Promise<void> {
    const turn = ++this.#turn;
    this.#busy = true;
    this.#early ??= new Meanwhile(EARLY);
    this.counts.run(this.#filter(), this.#live);

    await this.#attempt(async (signal) => {
      const { events, cursor, ...page } = await this.#hub.search(this.#filter(), PAGE, null, signal);

      if (turn !== this.#turn) {
        return;
      }

      this.#cursor = cursor;
      this.#page = page;
      this.#answered = this.place;
      this.rows.reset(events, this.#early?.parts);
      this.#early = undefined;
      this.#measure();
    });
  }

  /** A browser does not say why a tail was refused or lost: a search does. Signed out meanwhile, it ends here. */
  async #probe(): Promise<void> {
    try {
      await this.#hub.search(this.#filter(), 1, null, this.#abort.signal);
      this.#loss = TAIL_ONLY;
    } catch (error) {
      if (error instanceof HubError && error.status === 401) {
        this.#fail(error);
      } else if (error instanceof HubError) {
        this.#loss = { status: error.status, problem: error.problem };
      }
    }
  }

  #deliver(events: readonly LogEvent[]): void {
    this.rate.count(events.length);
    this.counts.stale();
    this.#gather.add(events);
  }

  #filter(): Filter {
    return { query: this.#query, ...bounds(this.#range) };
  }

  /** Do it and keep what goes wrong; false if it did, or if something else was asked for meanwhile. */
  async #attempt(work: (signal: AbortSignal) => Promise<void>): Promise<boolean> {
    const { signal } = this.#abort;

    try {
      await work(signal);
      this.#failure = undefined;
      return true;
    } catch (error) {
      if (signal.aborted) {
        return false;
      }

      this.#fail(error);
      return false;
    } finally {
      if (!signal.aborted) {
        this.#busy = false;
      }
    }
  }

  #fail(error: unknown): void {
    if (!(error instanceof HubError)) {
      throw error;
    }

    this.#failure = { status: error.status, problem: error.problem };

    // The tail would be refused for the same reason, again and again.
    if (error.status >= 400 && error.status < 500) {
      this.tail.stop();
    }
  }
}
