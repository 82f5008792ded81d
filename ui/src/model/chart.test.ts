import { describe, expect, test } from 'vitest';
import type { Counts } from './answers';
import { bars, describe as inWords, describeSpan, PAINTED, spans, stacks, summary, ticks, totals } from './chart';

const counts = {
  from: Date.parse('2026-11-22T14:00:00Z'),
  to: Date.parse('2026-11-22T14:15:00Z'),
  stepMs: 300_000,
  total: 13,
  series: [
    { key: 'WARNING', counts: [1, 0, 4] },
    { key: 'WARN', counts: [1, 0, 0] },
    { key: 'ERROR', counts: [1, 0, 6] },
  ],
};

test('bars are stacked from the mildest up, the worst painted first', () => {
  expect(PAINTED).toEqual(['critical', 'error', 'warning', 'info', 'debug']);
  expect(stacks(bars(counts))).toEqual([
    [3, 0, 10],
    [3, 0, 10],
    [2, 0, 4],
    [0, 0, 0],
    [0, 0, 0],
  ]);
});

test('the chart is a table of so many lines, with all that is counted', () => {
  expect(spans(counts, 2, 'utc')).toEqual([
    { text: '14:00', counts: { warning: 2, error: 1 } },
    { text: '14:10', counts: { warning: 4, error: 6 } },
  ]);
  expect(spans(counts, 12, 'utc').map((span) => span.text)).toEqual(['14:00', '14:05', '14:10']);
});

test('two names of one level are one', () => {
  expect(totals(counts)).toEqual([
    { level: 'error', count: 7 },
    { level: 'warning', count: 6 },
  ]);
});

test('the chart can be read', () => {
  expect(summary(counts, 'utc')).toBe('13 events from 14:00 to 14:15: 7 error, 6 warning. Most at 14:10.');
  expect(summary({ ...counts, series: [], total: 0 }, 'utc')).toBe('No events in this range.');
  expect(bars(counts).map((bar) => inWords(bar, 'utc'))[1]).toBe('14:05:00: nothing');
});

test('a brushed span can be read', () => {
  expect(describeSpan(bars(counts).slice(1), 'utc')).toBe('14:05:00 – 14:15:00: 10 events');
});

test('bars fill the range though steps are rounded', () => {
  const odd = { ...counts, to: counts.from + 1001, stepMs: 333 };
  expect(bars(odd).at(-1)?.to).toBeCloseTo(odd.to);
});

describe('ticks', () => {
  const range = (from: string, to: string): Counts => ({
    ...counts,
    from: Date.parse(`2026-11-22T${from}Z`),
    to: Date.parse(`2026-11-22T${to}Z`),
  });
  const words = (one: Counts, most: number): string =>
    ticks(one, most, 'utc')
      .map((tick) => tick.text)
      .join(' ');

  test('they are round times, each where it stands', () => {
    expect(ticks(range('14:03:27', '14:18:27'), 4, 'utc')).toEqual([
      { text: '14:05', at: 93 / 900 },
      { text: '14:10', at: 393 / 900 },
      { text: '14:15', at: 693 / 900 },
    ]);
  });

  test('steps look even: seconds are shown where they count', () => {
    expect(words(range('14:00:07', '14:01:47'), 7)).toBe(
      '14:00:15 14:00:30 14:00:45 14:01:00 14:01:15 14:01:30 14:01:45',
    );
    expect(words(range('14:00:07', '14:07:20'), 8)).toBe('14:01 14:02 14:03 14:04 14:05 14:06 14:07');
    expect(words({ ...counts, to: counts.from + 7 * 86_400_000 }, 4)).toBe(
      '11-23 00:00 11-25 00:00 11-27 00:00 11-29 00:00',
    );
  });

  test('a range without length has none', () => {
    expect(ticks({ ...counts, to: counts.from }, 4, 'utc')).toEqual([]);
    expect(ticks({ ...counts, from: NaN, to: NaN }, 4, 'utc')).toEqual([]);
  });
});
