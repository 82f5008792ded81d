import { expect, test } from 'vitest';
import type { Want } from '../model/complete';
import { CompletionState } from './completion.svelte';
import { away, LAST_HOUR, scriptedReports, settle } from './scripted';

function want(field: string, typed: string): Want {
  return { kind: field === '' ? 'field' : 'value', field, typed, from: 0, to: typed.length };
}

test('fields come by how often they occur, then those that may be asked for all the same', async () => {
  const reports = scriptedReports({
    fields: () =>
      Promise.resolve([
        { name: 'order_id', type: 'number', count: 9 },
        { name: 'level', type: 'string', count: 7 },
      ]),
  });
  const completion = new CompletionState(reports);
  await completion.look(want('', ''));
  expect(completion.choices.slice(0, 3)).toEqual([
    { text: 'order_id', count: 9 },
    { text: 'level', count: 7 },
    { text: 'service' },
  ]);
});

test('values of a field are asked for once, over what is asked', async () => {
  const asked: unknown[] = [];
  const reports = scriptedReports({
    facets: (filter, fields) => {
      asked.push([filter, fields]);
      return Promise.resolve([{ field: 'service', distinct: 1, values: [{ value: 'shop', count: 3 }] }]);
    },
  });
  const completion = new CompletionState(reports);
  completion.over(LAST_HOUR);
  await completion.look(want('service', ''));
  await completion.look(want('service', 'sh'));
  expect(completion.choices).toEqual([{ text: 'shop', count: 3 }]);
  expect(asked).toEqual([[LAST_HOUR, ['service']]]);

  completion.over({ query: 'level>=error' });
  await completion.look(want('service', ''));
  expect(asked).toHaveLength(2);
});

test('a field without values, or a hub that is away, offers what is usual', async () => {
  const completion = new CompletionState(scriptedReports());
  await completion.look(want('level', 'warn'));
  expect(completion.choices.map((choice) => choice.text)).toContain('warning');

  const lost = new CompletionState(scriptedReports({ fields: () => Promise.reject(away) }));
  await lost.look(want('', ''));
  expect(lost.choices).toEqual([]);
});

test('what comes after the box was left is not offered', async () => {
  const completion = new CompletionState(scriptedReports());
  const looked = completion.look(want('', ''));
  completion.clear();
  await looked;
  await settle();
  expect(completion.choices).toEqual([]);
});
