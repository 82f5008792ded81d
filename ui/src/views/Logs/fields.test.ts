import { expect, test } from 'vitest';
import { readEvent } from '../../model/event';
import type { JsonObject } from '../../model/json';
import { fieldsOf } from './fields';

function names(fields: JsonObject): string {
  const event = readEvent({ _id: 's-1', ...fields });
  return event === undefined
    ? ''
    : fieldsOf(event)
        .map((field) => `${field.name}=${field.value}`)
        .join(' ');
}

test('what the application said stands before where it said it', () => {
  expect(names({ hostname: 'w', level: 'INFO', order: 7, request_id: 'r', line: 3, file: 'a.py', function: 'f' })).toBe(
    'request_id=r order=7 level=INFO hostname=w source=a.py:3 in f',
  );
});

test('nested fields are a tree, with the names that queries use', () => {
  const event = readEvent({ _id: 's-1', user: { id: 42, tags: ['a'], cards: [{ no: 1 }] } });
  const [user] = event === undefined ? [] : fieldsOf(event);
  expect(user?.inside?.map(({ name, label, asked }) => [name, label, asked])).toEqual([
    ['user.id', 'id', true],
    ['user.tags', 'tags', false],
    ['user.cards', 'cards', false],
  ]);
  expect(user?.inside?.[2]?.inside?.[0]?.inside?.[0]).toMatchObject({ name: 'user.cards.0.no', value: '1' });
});

test('a template that is the message is not repeated', () => {
  expect(names({ message: 'x', template: 'x' })).toBe('');
  expect(names({ message: 'x 1', template: 'x %s' })).toBe('template=x %s');
});
