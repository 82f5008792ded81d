import { expect, test } from 'vitest';
import type { Download, OpenExport } from '../api/export';
import { ExportState } from './export.svelte';

const saved: { text: string; name: string }[] = [];
const filter = { query: 'x' };

async function* pieces(...texts: (string | Error)[]): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  for (const text of texts) {
    await Promise.resolve();

    if (typeof text !== 'string') {
      throw text;
    }

    yield new TextEncoder().encode(text);
  }
}

function exporting(download: Download): ExportState {
  saved.length = 0;
  const open: OpenExport = () => Promise.resolve(download);
  return new ExportState(open, (blob, name) => void blob.text().then((text) => saved.push({ text, name })));
}

test('all pieces are handed over as one file, and counted', async () => {
  const state = exporting({ name: 'a.ndjson', pieces: pieces('{"a":1}\n', '{"a":2}\n{"a"', ':3}\n') });
  await state.run(filter, 'ndjson', 'none');
  expect(state.progress).toEqual({ step: 'done', bytes: 24, lines: 3, name: 'a.ndjson' });
  await expect.poll(() => saved).toEqual([{ text: '{"a":1}\n{"a":2}\n{"a":3}\n', name: 'a.ndjson' }]);
});

test('what breaks off is no file, and is said', async () => {
  const state = exporting({ name: 'a', pieces: pieces('{"a":1}\n', new TypeError('network')) });
  await state.run(filter, 'ndjson', 'none');
  expect(state.progress).toMatchObject({ step: 'failed' });
  expect(saved).toEqual([]);
});

test('what is cancelled is no file', async () => {
  const state = exporting({ name: 'a', pieces: pieces('1\n', '2\n') });
  const done = state.run(filter, 'ndjson', 'none');
  state.cancel();
  await done;
  expect(state.progress).toEqual({ step: 'cancelled' });
  expect(saved).toEqual([]);
});
