/** Groups of events, page after page. */

import type { Filter } from '../api/hub';
import type { Groups } from '../model/reports';
import { AnswerState, type Failure } from './answer.svelte';

export type LoadGroups<T> = (filter: Filter, cursor: string | null, signal: AbortSignal) => Promise<Groups<T>>;

export class GroupsState<T> {
  readonly #answer = new AnswerState<Groups<T>>();
  readonly #work: LoadGroups<T>;
  #filter: Filter = { query: '' };

  constructor(work: LoadGroups<T>) {
    this.#work = work;
  }

  get groups(): readonly T[] {
    return this.#answer.value?.groups ?? [];
  }

  get failure(): Failure | undefined {
    return this.#answer.failure;
  }

  get busy(): boolean {
    return this.#answer.busy;
  }

  get hasMore(): boolean {
    return (this.#answer.value?.cursor ?? null) !== null;
  }

  get isEmpty(): boolean {
    return this.#answer.value?.groups.length === 0 && this.failure === undefined;
  }

  run(filter: Filter): void {
    this.#filter = filter;
    void this.#answer.load((signal) => this.#work(filter, null, signal));
  }

  more(): void {
    const before = this.#answer.value;
    void this.#answer.load(async (signal) => {
      const page = await this.#work(this.#filter, before?.cursor ?? null, signal);
      return { groups: [...(before?.groups ?? []), ...page.groups], cursor: page.cursor };
    });
  }
}
