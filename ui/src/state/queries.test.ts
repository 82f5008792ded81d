import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { QueriesState } from './queries.svelte';
import { emptyStorage } from './scripted';

beforeEach(() => {
  vi.stubGlobal('localStorage', emptyStorage());
});

afterEach(() => {
  vi.unstubAllGlobals();
});

test('what was asked is remembered once, the last one first, in another tab too', () => {
  const queries = new QueriesState();
  ['a', 'b', 'a', '  '].forEach((query) => queries.remember(query));
  expect(queries.history).toEqual(['a', 'b']);
  expect(new QueriesState().history).toEqual(['a', 'b']);
});

test('history has an end', () => {
  const queries = new QueriesState();
  Array.from({ length: 80 }, (_, n) => queries.remember(`q${n}`));
  expect([queries.history.length, queries.history[0]]).toEqual([50, 'q79']);
});

test('a name stands for one query; it is kept, replaced and forgotten', () => {
  const queries = new QueriesState();
  queries.save('slow', 'duration_ms>250');
  queries.save('bad', 'level>=error');
  queries.save('slow', 'duration_ms>500');
  expect(new QueriesState().saved).toEqual([
    { name: 'bad', query: 'level>=error' },
    { name: 'slow', query: 'duration_ms>500' },
  ]);
  queries.forget('bad');
  expect(new QueriesState().saved.map((one) => one.name)).toEqual(['slow']);
});

test.each(['{', '{"a": 1}', '[1, null, {"name": 2}]'])('what is no list of queries is none: %s', (text) => {
  localStorage.setItem('loghub.saved', text);
  localStorage.setItem('loghub.history', text);
  const queries = new QueriesState();
  expect([queries.saved, queries.history]).toEqual([[], []]);
});
