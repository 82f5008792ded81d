import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Filter } from '../api/hub';
import { HOME, type Address } from '../model/permalink';
import { DEFAULT_RANGE, type Range } from '../model/range';
import { Desk } from './desk.svelte';
import { emptyStorage, scriptedHub, scriptedReports, SERVER, settle, silentTail } from './scripted';

const HOUR: Range = { kind: 'last', key: '1h' };
const MORNING: Range = { kind: 'between', from: '2026-11-22T08:00:00Z', to: '2026-11-22T09:00:00Z' };
const asked: Filter[] = [];

const hub = scriptedHub({
  search: (filter) => {
    asked.push(filter);
    return Promise.resolve({ events: [], cursor: null, tookMs: 1, total: 0, scanned: 0, partitions: 0, skipped: 0 });
  },
});

function desk(address: Partial<Address> = {}): Desk {
  asked.length = 0;
  const made = new Desk(hub, scriptedReports(), silentTail, SERVER);
  made.goTo({ ...HOME, query: '', range: HOUR, live: false, ...address }, true);
  return made;
}

beforeEach(() => {
  vi.stubGlobal('localStorage', emptyStorage());
});

afterEach(() => {
  vi.unstubAllGlobals();
});

test('its address leads back to where it is', () => {
  const address = {
    query: 'a',
    range: MORNING,
    live: false,
    screen: 'errors',
    subject: '',
    event: '',
    columns: ['x'],
  } as const;
  expect(desk(address).address).toEqual(address);
});

test('an address that asks the same is not asked again', async () => {
  const made = desk({ query: 'a' });
  made.goTo({ ...made.address, screen: 'patterns' });
  await settle();
  expect(asked).toEqual([{ query: 'a', from: '-1h' }]);
  made.goTo({ ...made.address, query: 'b' });
  await settle();
  expect(asked).toHaveLength(2);
});

test('what is asked is remembered, and chosen is nothing any more', () => {
  const made = desk({ event: 's-1' });
  made.ask('level>=error');
  expect(made.queries.history).toEqual(['level>=error']);
  expect(made.address).toMatchObject({ query: 'level>=error', event: '', range: HOUR });
});

test('a filter is added to the query, and one of another screen is shown as a list', () => {
  const made = desk({ query: 'a', screen: 'errors' });
  made.filter('service', 'shop', true);
  expect(made.logs.query).toBe('a -service:shop');
  expect(made.spot.screen).toBe('errors');
  made.show('x');
  expect(made.address).toMatchObject({ screen: 'logs', query: 'x' });
});

test('a range with an end is not live; back to live leads to the range of before', () => {
  const made = desk({ live: true });
  made.look(MORNING);
  expect(made.logs.place).toMatchObject({ range: MORNING, live: false });
  made.backToLive();
  expect(made.logs.place).toMatchObject({ range: HOUR, live: true });
});

test('who switched live off stays so in another relative range, and who looked at an end is live again', () => {
  const still = desk({ live: false });
  still.look(DEFAULT_RANGE);
  expect(still.logs.live).toBe(false);
  const ended = desk({ range: MORNING });
  ended.look(DEFAULT_RANGE);
  expect(ended.logs.live).toBe(true);
});
