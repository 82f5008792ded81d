import { expect, test } from 'vitest';
import { readEvent, standIn } from './event';
import type { JsonObject } from './json';

const stands = (fields: JsonObject): string | undefined => {
  const event = readEvent({ _id: 'a', message: '', ...fields });
  return event && standIn(event);
};

test('for an empty message stands its template, or that there is none', () => {
  expect(stands({ template: '%s' })).toBe('%s');
  expect(stands({ template: '', order_id: 7 })).toBe('');
  expect(stands({ template: '' })).toBe('(no message)');
  expect(stands({})).toBe('(no message)');
});
