import { describe, expect, test } from 'vitest';
import { isObject, parseJson, plain, printJson, Verbatim } from './json';

// Node 20 has no source text in revivers; browsers that the page is for have it.
const knowsSources = ((): boolean => {
  let seen = false;
  JSON.parse('1', (_key: string, _value: unknown, context?: { source?: string }) => (seen = context?.source === '1'));
  return seen;
})();

describe('parseJson', () => {
  test.runIf(knowsSources)('an integer beyond 2^53 keeps its digits', () => {
    const read = parseJson('{"order": 9007199254740993}');
    expect(isObject(read) && read['order']).toEqual(new Verbatim('9007199254740993'));
  });

  test('smaller numbers are numbers', () => {
    expect(parseJson('{"n": 9007199254740991, "x": 1.5}')).toEqual({ n: 9007199254740991, x: 1.5 });
  });
});

test('print gives long integers back as they came', () => {
  expect(printJson({ a: new Verbatim('123456789012345678901'), b: [1, 'x'], c: {} })).toBe(
    '{\n  "a": 123456789012345678901,\n  "b": [\n    1,\n    "x"\n  ],\n  "c": {}\n}',
  );
});

test('plain leaves text unquoted and puts objects on one line', () => {
  expect(plain('a b')).toBe('a b');
  expect(plain({ a: [1, null] })).toBe('{"a": [1, null]}');
});
