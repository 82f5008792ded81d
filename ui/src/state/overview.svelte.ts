/** The Overview screen's figures: counts by level and service over the range, and how the hub is. */

import type { Filter, Hub } from '../api/hub';
import type { Reports } from '../api/reports';
import type { Counts } from '../model/answers';
import type { Facet } from '../model/reports';
import type { Stats } from '../model/stats';
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
  readonly health = new AnswerState<Stats>();
  readonly #hub: Hub;
  readonly #reports: Reports;

  constructor(hub: Hub, reports: Reports) {
    this.#hub = hub;
    this.#reports = reports;
  }

  /** Ask for both; done when both are here, or have failed. */
  async run(filter: Filter): Promise<void> {
    await Promise.all([this.#count(filter), this.health.load((signal) => this.#reports.stats(signal))]);
  }

  #count(filter: Filter): Promise<void> {
    return this.answer.load(async (signal) => {
      const [facets, counts] = await Promise.all([
        this.#reports.facets(filter, FIELDS, VALUES, signal),
        this.#hub.histogram(filter, BUCKETS, signal),
      ]);
      return { facets, counts };
    });
  }
}
