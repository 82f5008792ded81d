/** Who sends, and how fast: from how much more of each source is stored than at the look before. */

import type { Reports } from '../api/reports';
import type { Source } from '../model/reports';
import { AnswerState, type Failure } from './answer.svelte';

/** By the id of a source. */
type Numbers = Readonly<Record<string, number>>;

interface Look {
  readonly at: number;
  readonly stored: Numbers;
}

export class SourcesState {
  readonly #answer = new AnswerState<readonly Source[]>();
  #rates = $state.raw<Numbers>({});
  #look: Look | undefined;
  readonly #reports: Reports;
  readonly #clock: () => number;

  constructor(reports: Reports, clock: () => number = () => performance.now()) {
    this.#reports = reports;
    this.#clock = clock;
  }

  get sources(): readonly Source[] {
    return this.#answer.value ?? [];
  }

  get failure(): Failure | undefined {
    return this.#answer.failure;
  }

  /** Nothing is here yet. */
  get waits(): boolean {
    return this.#answer.value === undefined;
  }

  /** Events per second of a source; undefined before it was looked at twice. */
  rate(source: Source): number | undefined {
    return this.#rates[source.source];
  }

  async load(): Promise<void> {
    await this.#answer.load(async (signal) => {
      const sources = await this.#reports.sources(signal);
      this.#measure(sources);
      return sources;
    });
  }

  #measure(sources: readonly Source[]): void {
    const before = this.#look;
    const at = this.#clock();
    const stored = Object.fromEntries(sources.map((one) => [one.source, one.figures.acked ?? 0]));
    this.#look = { at, stored };

    if (before !== undefined && at > before.at) {
      const seconds = (at - before.at) / 1000;
      // A source that was not there at the look before began since then.
      const rates = Object.entries(stored).map(([id, now]) => [id, more(now, before.stored[id] ?? 0) / seconds]);
      this.#rates = Object.fromEntries(rates) as Numbers;
    }
  }
}

/** A hub that began anew counts anew. */
function more(now: number, before: number): number {
  return now >= before ? now - before : now;
}
