import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { read } from './grammar';
import { isList, isObject, parseJson, asNumber, asText, type Json } from './json';

const FILE = new URL('../../../tests/query/vectors.json', import.meta.url);
const vectors = parseJson(readFileSync(FILE, 'utf8'));

function each(name: string): { query: string; position: number; expected: string }[] {
  const found: Json = isObject(vectors) ? (vectors[name] ?? []) : [];
  return (isList(found) ? found : []).filter(isObject).map((one) => ({
    query: asText(one['query']) ?? '',
    position: asNumber(one['position']) ?? -1,
    expected: asText(one['expected']) ?? '',
  }));
}

/** What only the hub knows: values that are no level, number, time or regular expression. */
const OF_VALUES = /^(?:a number|a level|a time|a regular expression in RE2|text that UTF-8|a filter: stages|\d)/;

describe('the vectors that the Python parser reads', () => {
  test.each(each('queries'))('is a query: $query', ({ query }) => {
    const { pieces, wrongAt } = read(query);
    expect(wrongAt).toBe(-1);
    expect(pieces.map((piece) => piece.text).join('')).toBe(query);
  });

  const wrong = each('errors').filter(({ expected }) => !OF_VALUES.test(expected));

  test.each(wrong)('is wrong at $position: $query', ({ query, position }) => {
    expect(Array.from(query.slice(0, read(query).wrongAt))).toHaveLength(position);
  });

  test('there are some of both', () => {
    expect(each('queries').length).toBeGreaterThan(30);
    expect(wrong.length).toBeGreaterThan(10);
  });
});

test('pieces have their colours', () => {
  const { pieces } = read('level>=error -service:(api OR "b c") message:/x y/ w*| count by service');
  expect(pieces.filter(({ kind }) => kind !== 'space').map(({ kind, text }) => `${kind} ${text}`)).toEqual([
    'field level',
    'operator >=',
    'value error',
    'operator -',
    'field service',
    'operator :',
    'group (',
    'value api',
    'keyword OR',
    'text "b c"',
    'group )',
    'field message',
    'operator :',
    'regex /x y/',
    'value w',
    'operator *',
    'group |',
    'stage  count by service',
  ]);
});
