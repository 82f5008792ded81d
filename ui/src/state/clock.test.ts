import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { every } from './clock.svelte';

const page = { hidden: false };
let end: () => void = () => undefined;

beforeEach(() => {
  vi.useFakeTimers();
  page.hidden = false;
  vi.stubGlobal('document', page);
});

afterEach(() => {
  end();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

/** Begin; give how often it was done so far. */
function begin(work: () => Promise<void> = () => Promise.resolve()): () => number {
  let times = 0;
  end = every(1000, () => {
    times++;
    return work();
  });
  return () => times;
}

test('work is done at once, and then again and again', async () => {
  const times = begin();
  expect(times()).toBe(1);
  await vi.advanceTimersByTimeAsync(2500);
  expect(times()).toBe(3);
});

test('what is slow is not begun again before it is done, and rests', async () => {
  const times = begin(() => new Promise((resolve) => setTimeout(resolve, 5000)));
  await vi.advanceTimersByTimeAsync(5000);
  expect(times()).toBe(1);
  await vi.advanceTimersByTimeAsync(99_000);
  expect(times()).toBe(1);
  await vi.advanceTimersByTimeAsync(2000);
  expect(times()).toBe(2);
});

test('a page that nobody sees asks nothing, but for its first answer', async () => {
  page.hidden = true;
  const times = begin();
  await vi.advanceTimersByTimeAsync(10_000);
  expect(times()).toBe(1);
  page.hidden = false;
  await vi.advanceTimersByTimeAsync(1000);
  expect(times()).toBe(2);
});

test('it ends, also in the middle of its work', async () => {
  const times = begin(() => new Promise((resolve) => setTimeout(resolve, 500)));
  end();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(times()).toBe(1);
});
