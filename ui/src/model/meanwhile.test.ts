import { expect, test } from 'vitest';
import { readEvent, type LogEvent } from './event';
import { isSkipped, Meanwhile } from './meanwhile';

function events(from: number, to: number): LogEvent[] {
  return Array.from({ length: to - from }, (_, index) => {
    const read = readEvent({ _id: `s-${from + index}`, timestamp: '2026-11-22T10:00:00.000000Z' });

    if (read === undefined) {
      throw new Error('an event with an id is read');
    }

    return read;
  });
}

function shown(meanwhile: Meanwhile): (string | number)[] {
  return meanwhile.parts.flatMap<string | number>((part) => (isSkipped(part) ? [part.count] : part.map((e) => e.id)));
}

test('events and gaps keep their order', () => {
  const meanwhile = new Meanwhile(10);
  meanwhile.add(events(0, 2));
  meanwhile.skip(7);
  meanwhile.add(events(2, 3));
  expect(shown(meanwhile)).toEqual(['s-0', 's-1', 7, 's-2']);
});

test('what is too much is let go from the old end, and counted', () => {
  const meanwhile = new Meanwhile(3);
  meanwhile.add(events(0, 2));
  meanwhile.skip(7);
  meanwhile.add(events(2, 4));
  expect(shown(meanwhile)).toEqual([1, 's-1', 7, 's-2', 's-3']);
  meanwhile.add(events(4, 6));
  expect(shown(meanwhile)).toEqual([10, 's-3', 's-4', 's-5']);
});
