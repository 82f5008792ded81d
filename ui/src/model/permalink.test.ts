import { describe, expect, test } from 'vitest';
import { printPlace, readPlace, type Place } from './permalink';
import { DEFAULT_RANGE } from './range';

const places: Place[] = [
  { query: '', range: DEFAULT_RANGE, live: true },
  { query: 'a&b=#c +"d%"', range: { kind: 'last', key: '7d' }, live: false },
  { query: 'x', range: { kind: 'between', from: '2026-11-22T10:00:00Z', to: '2026-11-22T11:00:00Z' }, live: false },
];

test.each(places)('a place is read as it was printed: %j', (place) => {
  expect(readPlace(printPlace(place))).toEqual(place);
});

describe('readPlace', () => {
  test('nonsense is the usual place', () => {
    expect(readPlace('#range=eternity&from=then&to=now')).toEqual({ query: '', range: DEFAULT_RANGE, live: true });
  });

  test('a range with an end is not live', () => {
    expect(readPlace('#from=2026-01-01T00:00:00Z&to=2026-01-02T00:00:00Z&live=1').live).toBe(false);
  });
});

test('the usual place has no fragment', () => {
  expect(printPlace({ query: '', range: DEFAULT_RANGE, live: true })).toBe('');
});
