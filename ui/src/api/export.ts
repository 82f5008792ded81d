/** The full result of a query as a file, piece by piece as the hub makes it. */

import { fileName, type Archive, type Format } from '../model/export';
import { open, type Filter } from './hub';

export interface Download {
  readonly name: string;
  readonly pieces: AsyncIterable<Uint8Array<ArrayBuffer>>;
}

export type OpenExport = (filter: Filter, format: Format, archive: Archive, signal: AbortSignal) => Promise<Download>;

export const openExport: OpenExport = async (filter, format, archive, signal) => {
  const response = await open('api/v1/export', { signal }, { ...filter, format, archive });
  return {
    name: fileName(response.headers.get('content-disposition'), `loghub.${format}`),
    pieces: piecesOf(response),
  };
};

/** Safari cannot iterate a stream by itself. */
async function* piecesOf(response: Response): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const reader = response.body?.getReader();

  for (;;) {
    const piece = await reader?.read();

    if (piece?.value === undefined) {
      return;
    }

    yield piece.value;
  }
}
