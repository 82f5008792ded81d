import { expect, test } from 'vitest';
import type { Filter } from '../api/hub';
import { readStats } from '../model/stats';
import { OverviewState } from './overview.svelte';
import { away, LAST_HOUR, scriptedHub, scriptedReports } from './scripted';

test('it counts over the range, and asks how the hub is', async () => {
  const asked: Filter[] = [];
  const hub = scriptedHub({
    histogram: (filter) => {
      asked.push(filter);
      return Promise.resolve({ from: 0, to: 1000, stepMs: 1000, series: [], total: 7 });
    },
  });
  const facet = { field: 'level', distinct: 1, values: [] };
  const stats = readStats({ events: 9 });
  const reports = scriptedReports({ facets: () => Promise.resolve([facet]), stats: () => Promise.resolve(stats) });
  const overview = new OverviewState(hub, reports);
  await overview.run(LAST_HOUR);
  expect(overview.answer.value?.counts.total).toBe(7);
  expect(overview.answer.value?.facets).toEqual([facet]);
  expect(overview.health.value).toBe(stats);
  expect(asked).toEqual([LAST_HOUR]);
});

test('counts that fail do not hide how the hub is', async () => {
  const overview = new OverviewState(scriptedHub({ histogram: () => Promise.reject(away) }), scriptedReports());
  await overview.run(LAST_HOUR);
  expect(overview.answer.failure?.status).toBe(0);
  expect(overview.health.value?.events).toBe(0);
});
