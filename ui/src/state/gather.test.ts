import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Gather, oneSeenOf } from './gather';

const got: number[][] = [];
let gather: Gather<number>;

const numbers = (count: number, from = 0): number[] => Array.from({ length: count }, (_, at) => from + at);

beforeEach(() => {
  vi.useFakeTimers();
  got.length = 0;
  gather = new Gather((items) => got.push([...items]));
});

afterEach(() => {
  vi.useRealTimers();
});

test('a few are passed on as they come', () => {
  gather.add([1]);
  gather.add([2, 3]);
  expect(got).toEqual([[1], [2, 3]]);
});

test('many come together, in order, and soon', () => {
  gather.add(numbers(40));
  gather.add(numbers(200, 40));
  gather.add(numbers(200, 240));
  expect(got).toEqual([numbers(40)]);
  vi.advanceTimersByTime(100);
  expect(got).toEqual([numbers(40), numbers(400, 40)]);
});

test('after a quiet time the first come at once again', () => {
  gather.add(numbers(500));
  vi.advanceTimersByTime(300);
  gather.add([1]);
  expect(got).toEqual([numbers(500), [1]]);
});

test('what waits is bounded', () => {
  gather.add(numbers(4000));
  gather.add(numbers(1000));
  expect(got.flat()).toHaveLength(5000);
});

test('what was forgotten does not come any more', () => {
  gather.add(numbers(500));
  gather.clear();
  vi.advanceTimersByTime(300);
  expect(got).toEqual([]);
});

test('a storm is said to be one', () => {
  expect([10, 400, 10_000].map(oneSeenOf)).toEqual([1, 1, 25]);
});
