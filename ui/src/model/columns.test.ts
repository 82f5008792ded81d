import { describe, expect, test } from 'vitest';
import { asPicked, columnsFor, moved, resized, shifted, toggled, USUAL } from './columns';

describe('columnsFor', () => {
  test('a narrow list has fewer of the usual columns, but all that were picked', () => {
    expect(columnsFor([], {}, 1200).names).toEqual(USUAL);
    expect(columnsFor([], {}, 360).names).toEqual(['time', 'level', 'message']);
    expect(columnsFor(['service', 'logger'], {}, 360).names).toEqual(['service', 'logger']);
  });

  test('the message takes what is left, without it the last one does', () => {
    expect(columnsFor(['message', 'user.id'], { 'user.id': 60 }, 1200).template).toBe('4px minmax(0, 1fr) 60px');
    expect(columnsFor(['time', 'user.id'], {}, 1200).template).toBe('4px 104px minmax(0, 1fr)');
  });
});

test('a column is moved before another one, or by a step', () => {
  expect(moved(['a', 'b', 'c'], 'c', 'a')).toEqual(['c', 'a', 'b']);
  expect(shifted(['a', 'b', 'c'], 'a', 1)).toEqual(['b', 'a', 'c']);
  expect(shifted(['a', 'b', 'c'], 'b', 1)).toEqual(['a', 'c', 'b']);
  expect(shifted(['a', 'b', 'c'], 'b', -1)).toEqual(['b', 'a', 'c']);
  expect(shifted(['a', 'b', 'c'], 'a', -1)).toEqual(['a', 'b', 'c']);
  expect(shifted(['a', 'b', 'c'], 'c', 1)).toEqual(['a', 'b', 'c']);
});

test('a new column stands before the message; the last one stays', () => {
  expect(toggled(USUAL, 'user.id')).toEqual(['time', 'level', 'service', 'logger', 'user.id', 'message']);
  expect(toggled(['a', 'b'], 'a')).toEqual(['b']);
  expect(toggled(['b'], 'b')).toEqual(['b']);
});

test('the usual ones are not picked', () => {
  expect(asPicked(['time', 'level', 'service', 'logger', 'message'])).toEqual([]);
});

test('a column cannot be lost by making it narrow', () => {
  expect(resized({}, 'time', -5)).toEqual({ time: 36 });
});
