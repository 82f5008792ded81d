import { expect, test } from 'vitest';
import { FacetsState } from './facets.svelte';
import { LAST_HOUR, scriptedReports, settle } from './scripted';

const asked: string[][] = [];

const reports = scriptedReports({
  facets: (_filter, fields) => {
    asked.push([...fields]);
    return Promise.resolve(
      fields.map((field) => ({
        field,
        distinct: 1,
        values: field === 'exception.type' ? [] : [{ value: 'x', count: 1 }],
      })),
    );
  },
  fields: () =>
    Promise.resolve(['level', 'message', 'order_id', 'region'].map((name) => ({ name, type: 'string', count: 1 }))),
});

async function running(): Promise<FacetsState> {
  asked.length = 0;
  const facets = new FacetsState(reports);
  facets.run(LAST_HOUR);
  await settle();
  return facets;
}

test('fields without a value are not shown', async () => {
  const facets = await running();
  expect(facets.facets.map((facet) => facet.field)).toEqual(['level', 'service', 'hostname', 'logger']);
});

test('other fields are offered, but for those that are shown or say nothing by their values', async () => {
  const facets = await running();
  expect(facets.others.map((field) => field.name)).toEqual(['order_id', 'region']);
});

test('an opened field is asked for with the others, and no more when it is closed', async () => {
  const facets = await running();
  facets.toggle('region');
  await settle();
  expect(facets.isOpened('region')).toBe(true);
  expect(facets.facets.at(-1)?.field).toBe('region');
  expect(facets.others.map((field) => field.name)).toEqual(['order_id']);
  facets.toggle('region');
  await settle();
  expect(asked.map((fields) => fields.includes('region'))).toEqual([false, true, false]);
});

test('it rests for some seconds at least', async () => {
  expect((await running()).restMs).toBeGreaterThanOrEqual(5000);
});
