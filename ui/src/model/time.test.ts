import { expect, test } from 'vitest';
import { clock, duration, fieldText, fromField, full, justAfter, tick } from './time';

test('a clock cuts to the millisecond', () => {
  expect(clock('2026-11-22T14:17:21.698999Z', 'utc')).toBe('14:17:21.698');
});

test('the full form keeps all digits and names the zone', () => {
  expect(full('2026-11-22T14:17:21.698123Z', 'utc')).toBe('2026-11-22 14:17:21.698123 UTC');
});

test('what is no time is shown as it is', () => {
  expect(clock('yesterday', 'utc')).toBe('yesterday');
  expect(full('', 'utc')).toBe('');
});

test('ticks are as fine as the range needs', () => {
  const time = Date.parse('2026-11-22T14:17:05Z');
  expect(tick(time, 60_000, 'utc')).toBe('14:17:05');
  expect(tick(time, 900_000, 'utc')).toBe('14:17');
  expect(tick(time, 7 * 86_400_000, 'utc')).toBe('11-22 14:17');
});

test('durations have two units at most', () => {
  expect(duration(90_061_000)).toBe('1 d 1 h');
  expect(duration(7500)).toBe('7 s');
  expect(duration(20)).toBe('20 ms');
});

test('just after is one microsecond later', () => {
  expect(justAfter('2026-11-22T14:17:21.698123Z')).toBe('2026-11-22T14:17:21.698124Z');
  expect(justAfter('2026-11-22T14:17:59.999999Z')).toBe('2026-11-22T14:18:00.000000Z');
  expect(justAfter('2026-11-22T14:17:59Z')).toBe('2026-11-22T14:17:59.000001Z');
});

test('a moment goes into a field and comes back, to the second', () => {
  const time = Date.parse('2026-11-22T14:17:21.698Z');
  expect(fieldText(time, 'utc')).toBe('2026-11-22T14:17:21');
  expect(fromField('2026-11-22T14:17:21', 'utc')).toBe('2026-11-22T14:17:21.000Z');
  expect(fromField(fieldText(time, 'local'), 'local')).toBe('2026-11-22T14:17:21.000Z');
});

test.each(['', 'soon', '2026-13-01T00:00'])('what is no moment is none: %j', (text) => {
  expect(fromField(text, 'utc')).toBeUndefined();
});
