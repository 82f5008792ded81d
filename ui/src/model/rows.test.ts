import { expect, test } from 'vitest';
import { readEvent } from './event';
import { eventRow, gapRow, keepNewest, merge, type Row } from './rows';

function row(id: string, second: number): Row {
  const event = readEvent({ _id: id, timestamp: `2026-11-22T10:00:${String(second).padStart(2, '0')}.000000Z` });

  if (event === undefined) {
    throw new Error('an event with an id is read');
  }

  return eventRow(event);
}

const ids = (rows: readonly Row[]): string => rows.map((one) => one.id).join(' ');

test('newer rows go on top, whatever the order they came in', () => {
  expect(ids(merge([row('a', 5), row('b', 3)], [row('c', 6), row('d', 7)]))).toBe('d c a b');
});

test('a late event goes where its time is', () => {
  expect(ids(merge([row('a', 5), row('b', 3)], [row('c', 4)]))).toBe('a c b');
});

test('the same event twice is one row', () => {
  const rows = [row('a', 5)];
  expect(merge(rows, [row('a', 5)])).toBe(rows);
  expect(ids(merge(rows, [row('b', 6), row('b', 6)]))).toBe('b a');
});

test('at the same time, the one with the higher id is newer', () => {
  expect(ids(merge([row('s-1', 5)], [row('s-3', 5), row('s-2', 5)]))).toBe('s-3 s-2 s-1');
});

test('a gap stands above the row that it came after', () => {
  const rows = merge([row('a', 5)], [gapRow(7, row('a', 5).timestamp, 1, 'behind')]);
  expect(ids(merge(rows, [row('b', 6)]))).toBe('b ~000000001 a');
});

test('trimming counts the events that went, those of a gap too', () => {
  const rows = merge([row('a', 1), row('b', 5)].reverse(), [gapRow(7, row('x', 3).timestamp, 1, 'behind')]);
  expect(keepNewest(rows, 1)).toMatchObject({ gone: 8 });
  expect(keepNewest(rows, 3)).toMatchObject({ gone: 0 });
});

test('only the top of a long list is looked at', () => {
  const rows = Array.from({ length: 50 }, (_, index) => row(`a${String(index).padStart(2, '0')}`, 59 - index));
  const merged = merge(rows, [row('new', 59), row('a00', 59), row('late', 57)]);
  expect(ids(merged.slice(0, 5))).toBe('new a00 a01 late a02');
  expect(merged).toHaveLength(52);
});
