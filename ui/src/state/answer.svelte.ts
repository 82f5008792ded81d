/** One answer of the hub: asked for, there, or failed. The answer to an earlier question comes too late. */

import { HubError } from '../api/hub';
import type { Problem } from '../model/answers';

export interface Failure {
  readonly status: number;
  readonly problem: Problem;
}

/** A search works where the tail does not. */
export const TAIL_ONLY: Failure = {
  status: 101,
  problem: { code: 'no_tail', message: 'The hub answers, but its live connection does not hold.' },
};

export class AnswerState<T> {
  #value = $state.raw<T>();
  #failure = $state.raw<Failure>();
  #busy = $state(false);
  #abort = new AbortController();

  get value(): T | undefined {
    return this.#value;
  }

  get failure(): Failure | undefined {
    return this.#failure;
  }

  get busy(): boolean {
    return this.#busy;
  }

  /** Ask; what was asked before is forgotten. What is there stays until the answer is. */
  async load(work: (signal: AbortSignal) => Promise<T>): Promise<void> {
    this.stop();
    const { signal } = this.#abort;
    this.#busy = true;

    try {
      const value = await work(signal);

      if (!signal.aborted) {
        this.#value = value;
        this.#failure = undefined;
      }
    } catch (error) {
      if (!signal.aborted) {
        this.#fail(error);
      }
    } finally {
      if (!signal.aborted) {
        this.#busy = false;
      }
    }
  }

  stop(): void {
    this.#abort.abort();
    this.#abort = new AbortController();
    this.#busy = false;
  }

  #fail(error: unknown): void {
    if (!(error instanceof HubError)) {
      throw error;
    }

    this.#failure = { status: error.status, problem: error.problem };
  }
}
