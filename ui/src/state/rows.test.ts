import { expect, test } from 'vitest';
import { readEvent, type LogEvent } from '../model/event';
import { RowsState } from './rows.svelte';

function events(...seconds: number[]): LogEvent[] {
  return seconds.map((second) => {
    const number = String(second).padStart(2, '0');
    const event = readEvent({ _id: `s-${number}`, timestamp: `2026-11-22T10:00:${number}.000000Z` });

    if (event === undefined) {
      throw new Error('an event with an id is read');
    }

    return event;
  });
}

const ids = (state: RowsState): string => state.rows.map((row) => row.id).join(' ');

test('while one follows, events go on top', () => {
  const state = new RowsState();
  state.reset(events(1, 2));
  state.addLive(events(3));
  expect(ids(state)).toBe('s-03 s-02 s-01');
});

test('while one reads, the list stands still and events wait', () => {
  const state = new RowsState();
  state.reset(events(1, 2));
  state.follow(false);
  state.addLive(events(2, 3, 4));
  expect(ids(state)).toBe('s-02 s-01');
  expect(state.waiting).toBe(2);
  state.follow(true);
  expect(ids(state)).toBe('s-04 s-03 s-02 s-01');
  expect(state.waiting).toBe(0);
});

test('the list keeps the newest and says how many went', () => {
  const state = new RowsState(3);
  state.reset(events(1, 2));
  state.addLive(events(3, 4));
  expect(ids(state)).toBe('s-04 s-03 s-02');
  expect(state.trimmed).toBe(1);
});

test('what waits is bounded, and a gap counts exactly what went', () => {
  const state = new RowsState(3);
  state.reset(events(1));
  state.follow(false);
  state.addLive(events(2, 3, 4, 5));
  state.addLive(events(6, 7));
  state.release();
  const gap = state.rows.find((row) => row.kind === 'gap');
  expect(gap?.kind === 'gap' && gap.count).toBe(4);
  expect(ids(state).startsWith('s-07 s-06')).toBe(true);
});

test('a gap can be filled', () => {
  const state = new RowsState();
  state.reset(events(1));
  state.addGap(2);
  state.addLive(events(4));
  state.addBetween(events(2, 3));
  const gap = state.rows.find((row) => row.kind === 'gap');

  if (gap?.kind === 'gap') {
    state.close(gap, undefined, 0);
  }

  expect(ids(state)).toBe('s-04 s-03 s-02 s-01');
});

test('pages are added at both ends, and the other end is let go', () => {
  const state = new RowsState(4, 4);
  state.reset(events(8, 9));
  state.addPage(events(6, 7));
  expect(state.cut).toBe(false);
  state.addPage(events(4, 5));
  expect(ids(state)).toBe('s-07 s-06 s-05 s-04');
  expect(state.cut).toBe(true);
  expect(state.addNewer(events(7, 8, 9), false)).toBe(true);
  expect(ids(state)).toBe('s-09 s-08 s-07 s-06');
  expect(state.cut).toBe(false);
  expect(state.trimmed).toBe(2);
});

test('while the newest are not in the list, new events wait even for one who stands at its top', () => {
  const state = new RowsState();
  state.enter(events(1, 2), 1);
  state.follow(true);
  state.addLive(events(9));
  expect(ids(state)).toBe('s-02 s-01');
  expect(state.waiting).toBe(1);
  expect(state.addNewer(events(2), true)).toBe(false);
});

test('how many there are beyond both ends is known while pages come and go', () => {
  const state = new RowsState(4, 4);
  state.reset(events(8, 9));
  state.count(9, true);
  expect([state.newer, state.older]).toEqual([0, 7]);
  state.addPage(events(6, 7));
  state.addPage(events(4, 5));
  expect([state.newer, state.older]).toEqual([2, 3]);
  state.enter(events(2, 3), 6);
  expect([state.newer, state.older, state.cut]).toEqual([6, 1, true]);
  state.addNewer(events(3, 4), true);
  expect([state.newer, state.older]).toEqual([5, 1]);
  state.addNewer(events(4, 5, 6), false);
  expect([state.newer, state.older, state.cut]).toEqual([0, 2, false]);
  state.end();
  expect(state.older).toBe(0);
});

test('one who enters elsewhere loses nothing of what comes meanwhile', () => {
  const state = new RowsState();
  state.reset(events(8, 9));
  state.count(9, true);
  state.enter(events(3, 4), 5, [events(10), { count: 2, reason: 'behind' }]);
  expect(ids(state)).toBe('s-04 s-03');
  expect(state.waiting).toBe(1);
  state.enter(events(9, 10), 0, [events(11)]);
  expect(ids(state)).toBe('s-11 s-10 s-09');
  expect(state.waiting).toBe(0);
});
