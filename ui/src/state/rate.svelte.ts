/** Events per second over the last seconds. */

const SECONDS = 5;

export class RateState {
  #perSecond = $state(0);
  #slots: number[] = [];
  #now = 0;

  get perSecond(): number {
    return this.#perSecond;
  }

  count(events: number): void {
    this.#now += events;
  }

  /** To be called once a second. */
  tick(): void {
    this.#slots = [...this.#slots, this.#now].slice(-SECONDS);
    this.#now = 0;
    this.#perSecond = Math.round(this.#slots.reduce((sum, one) => sum + one, 0) / this.#slots.length);
  }
}
