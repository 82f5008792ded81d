import { expect, test } from 'vitest';
import { readEvent, type LogEvent } from './event';
import { offset, requestQuery, timeline } from './timeline';

function event(id: string, time: string, service = 'shop'): LogEvent {
  const found = readEvent({ _id: id, timestamp: `2026-11-22T10:00:${time}Z`, service });

  if (found === undefined) {
    throw new Error('an event with an id is read');
  }

  return found;
}

test('events of several services stand in the order of time, to the microsecond', () => {
  const line = timeline([event('b-1', '01.000002', 'pay'), event('a-2', '01.000001'), event('a-1', '00.000001')]);
  expect(line.marks.map((mark) => mark.event.id)).toEqual(['a-1', 'a-2', 'b-1']);
  expect(line.services).toEqual(['shop', 'pay']);
  expect(line.ms).toBe(1000.001);
  expect(line.marks.map((mark) => mark.after)).toEqual([0, 1000, 1000.001]);
});

test('one event, and none, are a line too', () => {
  expect(timeline([]).marks).toEqual([]);
  expect(timeline([event('a', '00.5')]).marks[0]).toMatchObject({ at: 0, after: 0 });
});

test('an id is quoted where it has to be', () => {
  expect(requestQuery('9f"2')).toBe('request_id:"9f\\"2" OR trace_id:"9f\\"2"');
});

test.each([
  [3.21, '+3.2 ms'],
  [1204.4, '+1.204 s'],
])('%d ms is %s', (ms, text) => {
  expect(offset(ms)).toBe(text);
});
