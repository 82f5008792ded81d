import { expect, test } from 'vitest';
import { momentIn, slotOf, spanOf } from './rank';

const counts = {
  from: 1000,
  to: 4000,
  stepMs: 1000,
  total: 60,
  series: [
    { key: 'INFO', counts: [10, 0, 30] },
    { key: 'ERROR', counts: [10, 0, 10] },
  ],
};

test('the newest bar has the first ranks', () => {
  expect(slotOf(counts, 0)).toEqual({ from: 3000, to: 4000, count: 40, newer: 0 });
  expect(slotOf(counts, 39)).toMatchObject({ from: 3000 });
  expect(slotOf(counts, 40)).toEqual({ from: 1000, to: 2000, count: 20, newer: 40 });
});

test('there are not so many', () => {
  expect(slotOf(counts, 60)).toBeUndefined();
  expect(slotOf({ ...counts, series: [] }, 0)).toBeUndefined();
});

test('in a bar, events stand evenly', () => {
  const slot = { from: 3000, to: 4000, count: 40, newer: 0 };
  expect([0, 10, 40].map((rank) => momentIn(slot, rank))).toEqual([
    '1970-01-01T00:00:04.000Z',
    '1970-01-01T00:00:03.750Z',
    '1970-01-01T00:00:03.000Z',
  ]);
  expect(spanOf(slot)).toEqual({ from: '1970-01-01T00:00:03.000Z', to: '1970-01-01T00:00:04.000Z' });
});
