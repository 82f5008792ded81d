import { describe, expect, test, vi } from 'vitest';
import { HubError, type Filter, type Hub } from '../api/hub';
import type { OpenTail, TailHandlers } from '../api/tail';
import type { Page } from '../model/answers';
import { readEvent, type LogEvent } from '../model/event';
import { DEFAULT_RANGE } from '../model/range';
import { LogsState } from './logs.svelte';

const AT = (second: number): string => `2026-11-22T10:00:${String(second).padStart(2, '0')}.000000Z`;

function event(second: number): LogEvent {
  const read = readEvent({ _id: `s-${String(second).padStart(2, '0')}`, timestamp: AT(second) });

  if (read === undefined) {
    throw new Error('an event with an id is read');
  }

  return read;
}

function page(events: LogEvent[], cursor: string | null = null): Page {
  return { events, cursor, tookMs: 1, total: 9, scanned: 9, partitions: 1, skipped: 0 };
}

/** A hub whose answers and tail are in the test's hand. */
class Stage {
  readonly asked: { filter: Filter; cursor: string | null }[] = [];
  readonly cursors: (string | null)[] = [];
  pages: (Page | HubError | Promise<Page>)[] = [];
  handlers: TailHandlers | undefined;
  readonly hub: Hub = {
    search: (filter, limit, cursor) => {
      // A search for one is how a lost tail finds out why.
      if (limit > 1) {
        this.asked.push({ filter, cursor });
      }

      const answer = this.pages.shift() ?? page([]);
      return answer instanceof HubError ? Promise.reject(answer) : Promise.resolve(answer);
    },
    earliest: () => Promise.resolve(page([])),
    oldest: () => Promise.resolve(undefined),
    histogram: () => Promise.resolve({ from: 0, to: 1, stepMs: 1, series: [], total: 0 }),
    signIn: () => Promise.resolve(),
    signOut: () => Promise.resolve(),
  };
  readonly open: OpenTail = (_query, cursor, handlers) => {
    this.cursors.push(cursor);
    this.handlers = handlers;
    return () => undefined;
  };
  readonly logs = new LogsState(this.hub, this.open);

  run(live: boolean): void {
    this.logs.run({ query: 'x', range: DEFAULT_RANGE, live });
  }

  frame(events: LogEvent[], cursor: string): void {
    this.handlers?.onFrame({ type: 'events', events, cursor });
  }

  get ids(): string {
    return this.logs.rows.rows.map((row) => row.id).join(' ');
  }
}

const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 0));

describe('a live search', () => {
  test('it searches only when the tail has said where it stands', async () => {
    const stage = new Stage();
    stage.run(true);
    await settle();
    expect(stage.asked).toHaveLength(0);
    stage.pages = [page([event(1)])];
    stage.frame([], 'c1');
    await settle();
    expect(stage.asked).toEqual([{ filter: { query: 'x', from: '-15m' }, cursor: null }]);
    expect(stage.ids).toBe('s-01');
  });

  test('what the tail brings during the search is not lost and not doubled', async () => {
    const stage = new Stage();
    stage.run(true);
    stage.pages = [page([event(2), event(1)])];
    stage.frame([], 'c1');
    stage.frame([event(2), event(3)], 'c3');
    await settle();
    expect(stage.ids).toBe('s-03 s-02 s-01');
    stage.frame([event(4)], 'c4');
    expect(stage.ids).toBe('s-04 s-03 s-02 s-01');
  });

  test('the late answer to an earlier search takes nothing away', async () => {
    const stage = new Stage();
    let late: (page: Page) => void = () => undefined;
    stage.pages = [
      new Promise((resolve) => {
        late = resolve;
      }),
      page([event(1)]),
    ];
    stage.run(true);
    stage.handlers?.onClosed();
    stage.logs.tail.retry();
    stage.frame([], 'c1');
    await settle();
    stage.frame([event(2)], 'c2');
    late(page([]));
    await settle();
    expect(stage.ids).toBe('s-02 s-01');
    stage.logs.tail.stop();
  });

  test('a gap during the search stands where it was', async () => {
    const stage = new Stage();
    stage.run(true);
    stage.pages = [page([event(1)])];
    stage.frame([], 'c1');
    stage.handlers?.onFrame({ type: 'gap', count: 60_000, to: 'c2' });
    stage.frame([event(5)], 'c3');
    await settle();
    expect(stage.logs.rows.rows.map((row) => (row.kind === 'gap' ? row.count : row.id))).toEqual([
      's-05',
      60_000,
      's-01',
    ]);
    stage.logs.tail.stop();
  });

  test('without a tail it shows what a search gives', async () => {
    const stage = new Stage();
    stage.run(true);
    stage.pages = [page([event(1)])];
    stage.handlers?.onClosed();
    await settle();
    expect(stage.ids).toBe('s-01');
    expect(stage.logs.tail.word).toBe('lost');
    stage.logs.tail.stop();
  });

  test('after a loss it goes on behind the last cursor', async () => {
    vi.useFakeTimers();
    const stage = new Stage();
    stage.run(true);
    stage.frame([], 'c1');
    await vi.advanceTimersByTimeAsync(1);
    stage.frame([event(1)], 'c2');
    stage.handlers?.onClosed();
    await vi.advanceTimersByTimeAsync(1000);
    expect(stage.cursors).toEqual([null, 'c2']);
    stage.frame([event(1), event(2)], 'c3');
    expect(stage.ids).toBe('s-02 s-01');
    expect(stage.asked).toHaveLength(1);
    stage.logs.tail.stop();
    vi.useRealTimers();
  });

  test('a loss that lasts is told with its cause, and is over with the next frame', async () => {
    vi.useFakeTimers();
    const stage = new Stage();
    const gone = new HubError(0, { code: 'unreachable', message: 'The hub does not answer.' });
    stage.run(true);
    stage.frame([], 'c1');
    await vi.advanceTimersByTimeAsync(1);
    stage.pages = [gone, gone, gone];
    stage.handlers?.onClosed();
    await vi.advanceTimersByTimeAsync(1900);
    expect(stage.logs.failure).toBeUndefined();
    await vi.advanceTimersByTimeAsync(200);
    expect(stage.logs.failure?.problem.message).toBe('The hub does not answer.');
    expect(stage.logs.stale).toBe(false);
    stage.frame([], 'c2');
    expect(stage.logs.failure).toBeUndefined();
    stage.logs.tail.stop();
    vi.useRealTimers();
  });

  test('a query that the hub refuses is shown, and not tried again and again', async () => {
    const stage = new Stage();
    stage.run(true);
    stage.pages = [new HubError(400, { code: 'query', message: 'expected a value', position: 3 })];
    stage.handlers?.onClosed();
    await settle();
    expect(stage.logs.failure?.problem.position).toBe(3);
    expect(stage.logs.tail.word).toBe('off');
  });
});

test('events of the query before are said to be, until an answer comes', async () => {
  const stage = new Stage();
  stage.pages = [page([event(1)]), new HubError(400, { code: 'bad_query', message: 'expected )' }), page([event(2)])];
  stage.run(false);
  await settle();
  expect(stage.logs.stale).toBe(false);
  stage.logs.run({ ...stage.logs.place, query: 'level>=(' });
  await settle();
  expect(stage.logs.stale).toBe(true);
  expect(stage.logs.answered?.query).toBe('x');
  expect(stage.ids).toBe('s-01');
  stage.logs.run({ ...stage.logs.place, query: 'y' });
  await settle();
  expect(stage.logs.stale).toBe(false);
  expect(stage.logs.answered?.query).toBe('y');
});

describe('pages', () => {
  test('more goes on at the cursor and stops at the end', async () => {
    const stage = new Stage();
    stage.pages = [page([event(5)], 'p1'), page([event(4)])];
    stage.run(false);
    await settle();
    await stage.logs.more();
    expect(stage.asked[1]?.cursor).toBe('p1');
    expect(stage.ids).toBe('s-05 s-04');
    expect(stage.logs.hasMore).toBe(false);
  });

  test('a gap is filled with what lies between its neighbours', async () => {
    const stage = new Stage();
    stage.run(true);
    stage.pages = [page([event(1)]), page([event(3), event(2)])];
    stage.frame([], 'c1');
    await settle();
    stage.handlers?.onFrame({ type: 'gap', count: 2, to: 'c3' });
    stage.frame([event(4)], 'c4');
    const gap = stage.logs.rows.rows[1];

    if (gap?.kind !== 'gap') {
      throw new Error('the gap stands between the two');
    }

    await stage.logs.fill(gap);
    expect(stage.asked[1]?.filter).toMatchObject({ from: AT(1), to: '2026-11-22T10:00:04.000001Z' });
    expect(stage.ids).toBe('s-04 s-03 s-02 s-01');
    stage.logs.tail.stop();
  });
});
