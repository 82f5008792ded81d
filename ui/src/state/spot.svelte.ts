/** Where the reader is: the screen, and what is chosen on it. */

import { HOME, type Screen, type Spot } from '../model/permalink';

export class SpotState {
  #spot = $state.raw<Spot>(HOME);

  get now(): Spot {
    return this.#spot;
  }

  get screen(): Screen {
    return this.#spot.screen;
  }

  get subject(): string {
    return this.#spot.subject;
  }

  get event(): string {
    return this.#spot.event;
  }

  get columns(): readonly string[] {
    return this.#spot.columns;
  }

  /** Go where an address says. */
  take({ screen, subject, event, columns }: Spot): void {
    this.#spot = { screen, subject, event, columns };
  }

  open(screen: Screen): void {
    this.#spot = { ...this.#spot, screen, event: '' };
  }

  openRequest(subject: string): void {
    this.#spot = { ...this.#spot, screen: 'request', subject, event: '' };
  }

  choose(event: string): void {
    this.#spot = { ...this.#spot, event };
  }

  arrange(columns: readonly string[]): void {
    this.#spot = { ...this.#spot, columns };
  }
}
