import { expect, test } from 'vitest';
import { bytes, health, keeps, perSecond } from './health';
import { readStats } from './stats';

const STATS = readStats({
  engine: 'duckdb',
  uptime_s: 3700.2,
  events: 1200,
  oldest: '2026-11-22T10:00:00.000000Z',
  ingest_rate: 214.4,
  received: { accepted: 50, duplicate: 3, quarantined: 2 },
  disk: { used: 1_200_000_000, sealed: 1, log: 2, free: 1_000_000_000, size: 100_000_000_000 },
  retention: { age_s: 1_209_600, bytes: 5_000_000_000, rules: [{ query: 'level:debug', age_s: 86_400 }] },
  rss: 84_000_000,
  subscribers: 2,
  drops: { senders: 0, lost: 4, tails: 7 },
  damaged: ['2026-11-21.parquet'],
});

function shown(takesEvents = true): [string, string, boolean][] {
  return health(STATS, takesEvents, 'utc').flatMap((group) =>
    group.figures.map(({ name, text, bad }): [string, string, boolean] => [name, text.replace(/\s/g, ' '), bad]),
  );
}

test('a hub tells its work, what it keeps, and what was lost as bad news', () => {
  expect(shown()).toEqual([
    ['Ingest rate', '214/s', false],
    ['Live tails', '2', false],
    ['Memory', '84 MB', false],
    ['Running for', '1 h 1 m', false],
    ['Events', '1 200', false],
    ['Since', '11-22 10:00:00', false],
    ['Retention', '14 d or 5 GB', false],
    ['… of level:debug', '1 d', false],
    ['Disk', '1.2 GB of 5 GB', false],
    ['Free disk', '1 GB', true],
    ['Cannot be read', '2026-11-21.parquet', true],
    ['Dropped by senders', '0', false],
    ['Lost on the way', '4', true],
    ['Lines that are no events', '2', true],
    ['Skipped by tails', '7', false],
    ['Sent again and trimmed', '3', false],
  ]);
});

test('a process that shows itself has no senders that could lose anything', () => {
  const names = shown(false).map(([name]) => name);
  expect(names).toContain('Skipped by tails');
  expect(names).not.toContain('Dropped by senders');
  expect(health(STATS, false, 'utc')[0]?.name).toBe('This process');
});

test('what a server does not tell is left out', () => {
  const names = health(readStats({}), true, 'utc').flatMap((group) => group.figures.map((one) => one.name));
  expect(names).not.toContain('Memory');
  expect(names).not.toContain('Disk');
  expect(names).not.toContain('Since');
});

test.each([
  [{ age_s: 60 }, '1 m'],
  [{ events: 500 }, 'the last 500 events'],
  [{ age_s: 86_400, bytes: 5e9 }, '1 d or 5 GB, whichever is less'],
  [{ age_s: 60, free_bytes: 1e9 }, '1 m, and as long as 1 GB of the disk are free'],
  [{}, 'for ever'],
])('retention is told in words: %j', (retention, words) => {
  expect(keeps(readStats({ retention }).retention)).toBe(words);
});

test.each([
  [0, '0.00/s'],
  [1.54, '1.5/s'],
  [214.4, '214/s'],
])('%d is %s', (number, text) => {
  expect(perSecond(number)).toBe(text);
});

test.each([
  [0, '0 B'],
  [999, '999 B'],
  [1_200_000_000, '1.2 GB'],
])('%d bytes are %s', (number, text) => {
  expect(bytes(number)).toBe(text);
});
