/** Runs the tail's state machine: does what it says (connect, wait, deliver), and tells it what happened. */

import type { OpenTail } from '../api/tail';
import type { LogEvent } from '../model/event';
import { OFF, step, wordOf, type Effect, type Input, type Tail, type Word } from '../model/tail';

export interface TailListener {
  synced(): void;
  failed(): void;
  deliver(events: readonly LogEvent[]): void;
  skipped(count: number): void;
}

type Alarm = 'retry' | 'silent' | 'calm' | 'away';

export class TailState {
  #tail = $state.raw<Tail>(OFF);
  #query = '';
  #close: (() => void) | undefined;
  readonly #alarms: Partial<Record<Alarm, ReturnType<typeof setTimeout>>> = {};
  readonly #open: OpenTail;
  readonly #listener: TailListener;

  constructor(open: OpenTail, listener: TailListener) {
    this.#open = open;
    this.#listener = listener;
  }

  get word(): Word {
    return wordOf(this.#tail);
  }

  get paused(): boolean {
    return this.#tail.paused;
  }

  /** The hub sends one of so many events; 1 where it sends all. */
  get oneOf(): number {
    return this.#tail.oneOf;
  }

  /** The connection has been lost for a while. */
  get away(): boolean {
    return this.#tail.away;
  }

  start(query: string): void {
    this.stop();
    this.#query = query;
    this.#feed({ type: 'start' });
  }

  stop(): void {
    this.#feed({ type: 'stop' });
    Object.values(this.#alarms).forEach((alarm) => {
      clearTimeout(alarm);
    });
  }

  pause(on: boolean): void {
    this.#feed({ type: on ? 'pause' : 'resume' });
  }

  /** Try at once: the network is back, or somebody signed in. */
  retry(): void {
    this.#feed({ type: 'retry' });
  }

  #feed(input: Input): void {
    const next = step(this.#tail, input);
    this.#tail = next.tail;
    next.effects.forEach((effect) => {
      this.#do(effect);
    });
  }

  #do(effect: Effect): void {
    switch (effect.type) {
      case 'connect':
        this.#close = this.#open(this.#query, effect.cursor, {
          onFrame: (frame) => {
            this.#feed({ type: 'frame', frame });
          },
          onClosed: () => {
            this.#feed({ type: 'closed', dice: Math.random() });
          },
        });
        // A hub that accepts and says nothing is as good as none.
        this.#ring('silent', 10_000);
        break;
      case 'disconnect':
        this.#close?.();
        clearTimeout(this.#alarms.silent);
        break;
      case 'retryIn':
        this.#ring('retry', effect.ms);
        break;
      case 'silentIn':
        this.#ring('silent', effect.ms);
        break;
      case 'awayIn':
        this.#ring('away', effect.ms);
        break;
      case 'calmIn':
        this.#ring('calm', effect.ms);
        break;
      case 'deliver':
        this.#listener.deliver(effect.events);
        break;
      case 'skipped':
        this.#listener.skipped(effect.count);
        break;
      case 'synced':
        this.#listener.synced();
        break;
      case 'failed':
        this.#listener.failed();
        break;
    }
  }

  #ring(alarm: Alarm, ms: number): void {
    clearTimeout(this.#alarms[alarm]);
    const input = (): Input => (alarm === 'silent' ? { type: alarm, dice: Math.random() } : { type: alarm });
    this.#alarms[alarm] = setTimeout(() => {
      this.#feed(input());
    }, ms);
  }
}
