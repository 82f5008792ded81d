/** What there is to complete a query with: the fields of the result, and the values of one, as often as they occur. */

import type { Filter } from '../api/hub';
import { HubError } from '../api/hub';
import type { Reports } from '../api/reports';
import { matching, usual, type Choice, type Want } from '../model/complete';

const FIELDS = 300;
const VALUES = 100;
/** Names that may be asked for though no event of the result has them. */
const KNOWN = 'level service logger message hostname exception request_id trace_id template ts'.split(' ');

export class CompletionState {
  #choices = $state.raw<readonly Choice[]>([]);
  #filter: Filter = { query: '' };
  /** Answers for this filter, by field; the names of all fields under the empty name. */
  // eslint-disable-next-line svelte/prefer-svelte-reactivity -- a cache that nothing draws
  readonly #known = new Map<string, Promise<readonly Choice[]>>();
  #turn = 0;
  readonly #reports: Reports;

  constructor(reports: Reports) {
    this.#reports = reports;
  }

  get choices(): readonly Choice[] {
    return this.#choices;
  }

  /** What is counted from here on: the events of this filter, as they are now. */
  over(filter: Filter): void {
    this.#filter = filter;
    this.#known.clear();
  }

  clear(): void {
    this.#turn++;
    this.#choices = [];
  }

  async look(want: Want): Promise<void> {
    const turn = ++this.#turn;
    const all = await this.#of(want.field);

    if (turn === this.#turn) {
      this.#choices = matching(all, want.typed);
    }
  }

  #of(field: string): Promise<readonly Choice[]> {
    const found = this.#known.get(field) ?? this.#load(field);
    this.#known.set(field, found);
    return found;
  }

  /** A query that is wrong yet, or a hub that is away, completes nothing. */
  async #load(field: string): Promise<readonly Choice[]> {
    try {
      return field === '' ? await this.#fields() : await this.#values(field);
    } catch (error) {
      if (error instanceof HubError) {
        return usual(field);
      }

      throw error;
    }
  }

  async #fields(): Promise<readonly Choice[]> {
    const found = (await this.#reports.fields(this.#filter, FIELDS)).map(({ name, count }) => ({ text: name, count }));
    const others = KNOWN.filter((name) => !found.some((one) => one.text === name));
    return [...found, ...others.map((text) => ({ text }))];
  }

  async #values(field: string): Promise<readonly Choice[]> {
    const [facet] = await this.#reports.facets(this.#filter, [field], VALUES);
    const found = facet?.values.map(({ value, count }) => ({ text: value, count })) ?? [];
    return found.length > 0 ? found : usual(field);
  }
}
