/** Everything that the screens share: what is asked, where the reader is, and what can be done from any of them. */

import type { Hub } from '../api/hub';
import type { Reports } from '../api/reports';
import type { OpenTail } from '../api/tail';
import type { Address } from '../model/permalink';
import { term, withTerm } from '../model/query';
import { DEFAULT_RANGE, sameRange, type Range } from '../model/range';
import type { Server } from '../model/server';
import { CompletionState } from './completion.svelte';
import { LogsState } from './logs.svelte';
import { QueriesState } from './queries.svelte';
import { SettingsState } from './settings.svelte';
import { SpotState } from './spot.svelte';

export class Desk {
  readonly logs: LogsState;
  readonly spot = new SpotState();
  readonly settings = new SettingsState();
  readonly queries = new QueriesState();
  readonly completion: CompletionState;
  readonly hub: Hub;
  readonly reports: Reports;
  readonly server: Server;
  /** The range without an end that was looked at last. */
  #open: Range = DEFAULT_RANGE;

  constructor(hub: Hub, reports: Reports, open: OpenTail, server: Server) {
    this.hub = hub;
    this.reports = reports;
    this.server = server;
    this.logs = new LogsState(hub, open);
    this.completion = new CompletionState(reports);
  }

  get address(): Address {
    return { ...this.logs.place, ...this.spot.now };
  }

  /** Go where an address says; what is asked already is not asked again. */
  goTo(address: Address, anew = false): void {
    const { query, range, live } = address;
    const now = this.logs.place;
    this.spot.take(address);

    if (anew || query !== now.query || live !== now.live || !sameRange(range, now.range)) {
      this.logs.run({ query, range, live });
    }
  }

  ask(query: string): void {
    this.spot.choose('');
    this.queries.remember(query);
    this.logs.run({ ...this.logs.place, query });
  }

  /** Ask on the Logs screen. */
  show(query: string): void {
    this.spot.open('logs');
    this.ask(query);
  }

  /** A range with an end is looked at, not waited for; back at a relative one, the tail goes on. */
  look(range: Range): void {
    const { logs } = this;

    if (logs.range.kind === 'last') {
      this.#open = logs.range;
    }

    const live = range.kind === 'last' && (logs.live || logs.range.kind === 'between');
    logs.run({ ...logs.place, range, live });
  }

  backToLive(): void {
    this.logs.run({ ...this.logs.place, range: this.#open, live: true });
  }

  filter(field: string, value: string, negative: boolean): void {
    this.ask(withTerm(this.logs.query, term(field, value), negative));
  }
}
