import { expect, test } from 'vitest';
import { bars, describe as inWords, describeSpan, summary, totals } from './chart';

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

test('bars are stacked from the mildest up, as shares of the highest', () => {
  const last = bars(counts)[2];
  expect(last?.blocks.map((block) => block.level)).toEqual(['warning', 'error']);
  expect(last?.blocks[0]).toMatchObject({ y: 0.6, height: 0.4 });
  expect(last?.blocks[1]?.y).toBeCloseTo(0);
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
