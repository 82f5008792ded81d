import { expect, test } from 'vitest';
import { readSources, type Source } from '../model/reports';
import { scriptedReports } from './scripted';
import { SourcesState } from './sources.svelte';

/** Look again and again at sources that have stored so much more each time; seconds apart. */
async function look(seconds: number, ...stored: Record<string, number>[]): Promise<SourcesState> {
  let at = 0;
  let looks = 0;
  const read = (): Source[] =>
    readSources({ sources: Object.entries(stored[looks++] ?? {}).map(([source, acked]) => ({ source, acked })) });
  const reports = scriptedReports({ sources: () => Promise.resolve(read()) });
  const senders = new SourcesState(reports, () => (at += 1000 * seconds));

  while (looks < stored.length) {
    await senders.load();
  }

  return senders;
}

const rates = (senders: SourcesState): (number | undefined)[] => senders.sources.map((one) => senders.rate(one));

test('a rate needs two looks', async () => {
  expect(rates(await look(5, { a: 100 }))).toEqual([undefined]);
  expect(rates(await look(5, { a: 100 }, { a: 150 }))).toEqual([10]);
});

test('a source that was not there before began since then', async () => {
  expect(rates(await look(5, { a: 100 }, { a: 100, b: 20 }))).toEqual([0, 4]);
});

test('a hub that began anew counts anew', async () => {
  expect(rates(await look(5, { a: 100 }, { a: 15 }))).toEqual([3]);
});

test('nothing is here before the first look', async () => {
  const senders = new SourcesState(scriptedReports());
  expect([senders.waits, senders.sources]).toEqual([true, []]);
  await senders.load();
  expect([senders.waits, senders.failure]).toEqual([false, undefined]);
});
