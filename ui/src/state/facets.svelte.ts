/** Top values of fields over all that matches. Live, they are asked for again while events come, and never in a hurry. */

import type { Filter } from '../api/hub';
import type { Reports } from '../api/reports';
import type { Facet, FieldName } from '../model/reports';
import { AnswerState } from './answer.svelte';

const FIELDS = ['level', 'service', 'hostname', 'logger', 'exception.type'];
const VALUES = 6;
const NAMES = 40;
const REFRESH_MS = 5000;
/** At most a twentieth of the hub's time. */
const SHARE = 20;
const HIDDEN = 'timestamp message template line exc_info stack_info args'.split(' ');

export class FacetsState {
  readonly #facets = new AnswerState<readonly Facet[]>();
  readonly #names = new AnswerState<readonly FieldName[]>();
  #opened = $state.raw<readonly string[]>([]);
  #filter: Filter = { query: '' };
  #restMs = REFRESH_MS;
  readonly #reports: Reports;

  constructor(reports: Reports) {
    this.#reports = reports;
  }

  /** Those that have values at all. */
  get facets(): readonly Facet[] {
    return (this.#facets.value ?? []).filter((facet) => facet.values.length > 0);
  }

  /** Other fields of the result, the most frequent first. */
  get others(): readonly FieldName[] {
    const shown = [...FIELDS, ...this.#opened];
    return (this.#names.value ?? []).filter(({ name }) => !shown.includes(name) && !HIDDEN.includes(name));
  }

  get restMs(): number {
    return this.#restMs;
  }

  isOpened(field: string): boolean {
    return this.#opened.includes(field);
  }

  run(filter: Filter): void {
    this.#filter = filter;
    void this.#names.load((signal) => this.#reports.fields(filter, NAMES, signal));
    this.refresh();
  }

  refresh(): void {
    void this.#facets.load(async (signal) => {
      const started = performance.now();
      const fields = [...FIELDS, ...this.#opened];
      const found = await this.#reports.facets(this.#filter, fields, VALUES, signal);
      this.#restMs = Math.max(REFRESH_MS, SHARE * (performance.now() - started));
      return found;
    });
  }

  /** Show the values of a field, or no more. */
  toggle(field: string): void {
    this.#opened = this.isOpened(field) ? this.#opened.filter((one) => one !== field) : [...this.#opened, field];
    this.refresh();
  }
}
