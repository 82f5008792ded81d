import { expect, test } from 'vitest';
import type { Groups } from '../model/reports';
import { GroupsState } from './groups.svelte';
import { away, LAST_HOUR, settle } from './scripted';

/** Groups whose pages are given one after the other. */
function pages(...answers: (Groups<string> | Error)[]): { groups: GroupsState<string>; cursors: (string | null)[] } {
  const cursors: (string | null)[] = [];
  const groups = new GroupsState<string>((_filter, cursor) => {
    cursors.push(cursor);
    const answer = answers.shift() ?? new Error('asked once too often');
    return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
  });
  return { groups, cursors };
}

test('pages are put together by their cursor', async () => {
  const { groups, cursors } = pages({ groups: ['a'], cursor: '1' }, { groups: ['b'], cursor: null });
  groups.run(LAST_HOUR);
  await settle();
  expect(groups.hasMore).toBe(true);
  groups.more();
  await settle();
  expect([groups.groups, groups.hasMore, cursors]).toEqual([['a', 'b'], false, [null, '1']]);
});

test('another question begins anew', async () => {
  const { groups } = pages({ groups: ['a'], cursor: '1' }, { groups: ['c'], cursor: null });
  groups.run(LAST_HOUR);
  await settle();
  groups.run({ query: 'c' });
  await settle();
  expect(groups.groups).toEqual(['c']);
});

test('nothing found is empty; nothing asked yet, or nobody there, is not', async () => {
  const { groups } = pages({ groups: [], cursor: null }, away);
  expect(groups.isEmpty).toBe(false);
  groups.run(LAST_HOUR);
  expect(groups.busy).toBe(true);
  await settle();
  expect(groups.isEmpty).toBe(true);
  groups.run(LAST_HOUR);
  await settle();
  expect([groups.isEmpty, groups.failure?.status]).toEqual([false, 0]);
});
