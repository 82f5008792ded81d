/** The Overview screen's figures: counts by level and service over the range, and how the hub is. */

import type { Filter, Hub } from '../api/hub';
import type { Reports } from '../api/reports';
import type { Counts } from '../model/answers';
import { rate } from '../model/health';
import type { Facet } from '../model/reports';
import { AnswerState } from './answer.svelte';

const BUCKETS = 120;
const VALUES = 20;
const FIELDS = ['level', 'service', 'hostname', 'logger'];

export interface Overview {
  readonly counts: Counts;
  readonly facets: readonly Facet[];
}

export class OverviewState {
  readonly answer = new AnswerState<Overview>();
  readonly health = new AnswerState<string>();
  #rate = $state.raw<number>();
  #read: { text: string; at: number } | undefined;
  readonly #hub: Hub;
  readonly #reports: Reports;

  constructor(hub: Hub, reports: Reports) {
    this.#hub = hub;
    this.#reports = reports;
  }

  /** Events per second that the hub stores; undefined before the second reading. */
  get rate(): number | undefined {
    return this.#rate;
  }

  run(filter: Filter): void {
    void this.answer.load(async (signal) => {
      const [facets, counts] = await Promise.all([
        this.#reports.facets(filter, FIELDS, VALUES, signal),
        this.#hub.histogram(filter, BUCKETS, signal),
      ]);
      return { facets, counts };
    });
    void this.health.load(async (signal) => {
      const text = await this.#reports.metrics(signal);
      this.#measure(text);
      return text;
    });
  }

  #measure(text: string): void {
    const now = performance.now();
    const before = this.#read;
    this.#rate = before === undefined ? undefined : rate(before.text, text, (now - before.at) / 1000);
    this.#read = { text, at: now };
  }
}
