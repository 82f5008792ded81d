import { expect, test } from 'vitest';
import { indexAt, offsetOf } from './layout';

const opens = [
  { index: 1, height: 100 },
  { index: 4, height: 50 },
];

test('an open row moves those below it', () => {
  expect([0, 1, 2, 4, 5].map((index) => offsetOf(index, 20, opens))).toEqual([0, 20, 140, 180, 250]);
});

test('a pixel in the open part belongs to its row', () => {
  expect([0, 19, 20, 139, 140, 200, 249, 250, 271].map((y) => indexAt(y, 20, opens))).toEqual([
    0, 0, 1, 1, 2, 4, 4, 5, 6,
  ]);
});

test('the row at the offset of a row is that row', () => {
  for (let index = 0; index < 50; index++) {
    expect(indexAt(offsetOf(index, 22, opens), 22, opens)).toBe(index);
  }
});
