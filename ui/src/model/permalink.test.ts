import { describe, expect, test } from 'vitest';
import { HOME, printAddress, readAddress, sameStep, type Address } from './permalink';
import { DEFAULT_RANGE } from './range';

const home: Address = { ...HOME, query: '', range: DEFAULT_RANGE, live: true };
const addresses: Address[] = [
  home,
  { ...home, query: 'a&b=#c +"d%"?', range: { kind: 'last', key: '7d' }, live: false },
  {
    ...home,
    screen: 'patterns',
    query: 'x',
    range: { kind: 'between', from: '2026-11-22T10:00:00Z', to: '2026-11-22T11:00:00Z' },
    live: false,
  },
  { ...home, screen: 'request', subject: '9f/2c?&' },
  { ...home, event: 's-1', columns: ['time', 'user.id', 'message'] },
];

test.each(addresses)('an address is read as it was printed: %j', (address) => {
  expect(readAddress(printAddress(address))).toEqual(address);
});

describe('readAddress', () => {
  test('nonsense is the usual place', () => {
    expect(readAddress('#/nowhere?range=eternity&from=then&to=now')).toEqual(home);
  });

  test('a range with an end is not live', () => {
    expect(readAddress('#/logs?from=2026-01-01T00:00:00Z&to=2026-01-02T00:00:00Z&live=1').live).toBe(false);
  });
});

test('the usual place has no fragment', () => {
  expect(printAddress(home)).toBe('');
});

test('choosing an event or a column is no step of the history, another screen is', () => {
  expect(sameStep(home, { ...home, event: 's-1', columns: ['time'] })).toBe(true);
  expect(sameStep(home, { ...home, screen: 'errors' })).toBe(false);
});
