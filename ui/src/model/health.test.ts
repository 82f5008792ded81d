import { expect, test } from 'vitest';
import { bytes, figures, rate } from './health';

const METRICS = 'loghub_hub_events 1200\nloghub_hub_events_accepted_total 50\nloghub_hub_lines_quarantined_total 2\n';

test('figures that the hub has are shown, lost lines as bad news', () => {
  expect(figures(METRICS).map(({ name, text, bad }) => [name, text.replace(/\s/, ' '), bad])).toEqual([
    ['Events in the store', '1 200', false],
    ['Stored since its start', '50', false],
    ['Lines that are no events', '2', true],
  ]);
});

test('a rate needs two readings of the same run', () => {
  const later = METRICS.replace('total 50', 'total 150');
  expect(rate(METRICS, later, 5)).toBe(20);
  expect(rate(later, METRICS, 5)).toBeUndefined();
  expect(rate('', METRICS, 5)).toBeUndefined();
});

test.each([
  [0, '0 B'],
  [999, '999 B'],
  [1_200_000_000, '1.2 GB'],
])('%d bytes are %s', (number, text) => {
  expect(bytes(number)).toBe(text);
});
