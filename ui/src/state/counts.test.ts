import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Filter, Hub } from '../api/hub';
import { readEvent } from '../model/event';
import { CountsState } from './counts.svelte';

const asked: Filter[] = [];
let answer: () => void = () => undefined;

const hub: Hub = {
  search: () => Promise.reject(new Error('not asked here')),
  earliest: () => Promise.reject(new Error('not asked')),
  oldest: () => Promise.resolve(readEvent({ _id: 's-1', timestamp: '2026-01-01T00:00:00.000000Z' })),
  histogram: (filter) => {
    asked.push(filter);
    return new Promise((resolve) => {
      answer = () => {
        resolve({ from: 0, to: 1, stepMs: 1, series: [], total: asked.length });
      };
    });
  },
  signIn: () => Promise.resolve(),
  signOut: () => Promise.resolve(),
};

beforeEach(() => {
  asked.length = 0;
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

async function answered(): Promise<void> {
  await vi.advanceTimersByTimeAsync(0);
  answer();
  await vi.advanceTimersByTimeAsync(0);
}

test('events that come while it asks are asked for afterwards', async () => {
  const state = new CountsState(hub);
  state.run({ query: '', from: '-15m' }, true);
  state.stale();
  await answered();
  await vi.advanceTimersByTimeAsync(5000);
  await answered();
  expect(state.counts?.total).toBe(2);
});

test('many events ask once', async () => {
  const state = new CountsState(hub);
  state.run({ query: '', from: '-15m' }, true);
  await answered();
  state.stale();
  state.stale();
  await vi.advanceTimersByTimeAsync(5000);
  await answered();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(asked).toHaveLength(2);
});

test('a search that is not live asks once', async () => {
  const state = new CountsState(hub);
  state.run({ query: '', from: '-15m' }, false);
  await answered();
  state.stale();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(asked).toHaveLength(1);
});

test('all time begins with the first event', async () => {
  const state = new CountsState(hub);
  state.run({ query: 'x' }, false);
  await answered();
  expect(asked).toEqual([{ query: 'x', from: '2026-01-01T00:00:00.000000Z' }]);
});
