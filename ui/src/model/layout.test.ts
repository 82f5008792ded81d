import { describe, expect, test } from 'vitest';
import { Layout, Scale } from './layout';

const opens = [
  { index: 2, height: 100 },
  { index: 5, height: 50 },
];

test('what is open pushes down the rows behind it', () => {
  const layout = new Layout(10, 22, opens);
  expect([0, 2, 3, 5, 6, 10].map((index) => layout.offset(index))).toEqual([0, 44, 166, 210, 282, 370]);
  expect(layout.total).toBe(370);
});

test('each pixel belongs to the row whose top is above it', () => {
  const layout = new Layout(10, 22, opens);

  for (let y = 0; y < layout.total; y++) {
    const index = layout.at(y);
    expect(layout.offset(index)).toBeLessThanOrEqual(y);
    expect(layout.offset(index + 1)).toBeGreaterThan(y);
  }
});

test('beyond the ends is the first and the last row', () => {
  const layout = new Layout(10, 22, opens);
  expect([layout.at(-5), layout.at(9999)]).toEqual([0, 9]);
  expect(new Layout(0, 22).at(7)).toBe(0);
});

test('rows that are not here take their room, before and behind', () => {
  const layout = new Layout(10, 22, opens, { before: 1000, behind: 500 });
  expect(layout.offset(0)).toBe(22_000);
  expect(layout.offset(3)).toBe(22_000 + 166);
  expect(layout.total).toBe(22_000 + 370 + 11_000);
  expect([layout.row(0), layout.row(21_999), layout.row(22_000)]).toEqual([-1000, -1, 0]);
  expect([layout.row(layout.total - 1), layout.at(layout.total - 1), layout.at(0)]).toEqual([509, 9, 0]);
});

describe('a list higher than a browser’s box', () => {
  const rows = 5_000_000;
  const layout = new Layout(rows, 22);
  const scale = new Scale(layout.total, 800);

  test('both ends are reached, and every row between', () => {
    expect(scale.height).toBe(16_000_000);
    expect(scale.top(0)).toBe(0);
    expect(scale.top(scale.height - 800)).toBeCloseTo(layout.total - 800, 3);
    const middle = layout.offset(2_345_678);
    expect(scale.top(scale.scrolled(middle))).toBeCloseTo(middle, 3);
  });

  test('one that fits is as it is', () => {
    expect(new Scale(1000, 800)).toMatchObject({ height: 1000, factor: 1, isTrue: true });
  });
});
