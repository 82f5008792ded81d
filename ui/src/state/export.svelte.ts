/**
 * An export on its way: how much of it is here, and its end.
 *
 * The pieces are kept as blobs, which a browser puts on its disk when they become large. What breaks off is no file:
 * nothing is handed over, and the failure is said.
 */

import type { OpenExport } from '../api/export';
import { HubError, type Filter } from '../api/hub';
import { lineEnds, type Archive, type Format } from '../model/export';

export type Progress =
  | { readonly step: 'idle' }
  | { readonly step: 'running' | 'done'; readonly bytes: number; readonly lines: number; readonly name: string }
  | { readonly step: 'cancelled' }
  | { readonly step: 'failed'; readonly message: string };

export type HandOver = (blob: Blob, name: string) => void;

/** Pieces are put together when they are this much, so that few of them are held in memory. */
const GATHER = 4_000_000;
const SHOW_MS = 100;

export class ExportState {
  #progress = $state.raw<Progress>({ step: 'idle' });
  #abort = new AbortController();
  readonly #open: OpenExport;
  readonly #handOver: HandOver;

  constructor(open: OpenExport, handOver: HandOver) {
    this.#open = open;
    this.#handOver = handOver;
  }

  get progress(): Progress {
    return this.#progress;
  }

  get running(): boolean {
    return this.#progress.step === 'running';
  }

  cancel(): void {
    this.#abort.abort();
  }

  async run(filter: Filter, format: Format, archive: Archive): Promise<void> {
    this.#abort.abort();
    const abort = (this.#abort = new AbortController());
    this.#progress = { step: 'running', bytes: 0, lines: 0, name: '' };

    try {
      await this.#take(filter, format, archive, abort.signal);
    } catch (error) {
      if (abort === this.#abort) {
        this.#progress = abort.signal.aborted ? { step: 'cancelled' } : { step: 'failed', message: wordsFor(error) };
      }
    }
  }

  async #take(filter: Filter, format: Format, archive: Archive, signal: AbortSignal): Promise<void> {
    const { name, pieces } = await this.#open(filter, format, archive, signal);
    // In an archive, an end of line is only a byte.
    const counts = archive === 'none' && format !== 'parquet';
    let [bytes, lines, gathered, shownAt] = [0, 0, 0, 0];
    let loose: BlobPart[] = [];
    const blobs: Blob[] = [];

    for await (const piece of pieces) {
      bytes += piece.length;
      gathered += piece.length;
      lines += counts ? lineEnds(piece) : 0;
      loose.push(piece);

      if (gathered > GATHER) {
        blobs.push(new Blob(loose));
        [loose, gathered] = [[], 0];
      }

      if (performance.now() - shownAt > SHOW_MS) {
        shownAt = performance.now();
        this.#progress = { step: 'running', bytes, lines, name };
      }
    }

    signal.throwIfAborted();
    this.#handOver(new Blob([...blobs, ...loose]), name);
    this.#progress = { step: 'done', bytes, lines, name };
  }
}

function wordsFor(error: unknown): string {
  return error instanceof HubError ? error.problem.message : 'The connection broke before the end; nothing was saved.';
}
