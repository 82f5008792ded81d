import { describe, expect, test } from 'vitest';
import { needles, offsetOfCharacter, paint, term, tokens, withTerm } from './query';

const kinds = (query: string): string =>
  tokens(query)
    .filter((token) => token.kind !== 'space')
    .map((token) => `${token.kind}=${token.text}`)
    .join(' ');

describe('tokens', () => {
  test('fields, operators, values and text are told apart', () => {
    expect(kinds('level>=warning service:(checkout OR payments) -logger:urllib3 "timed out"')).toBe(
      'field=level operator=>= value=warning field=service operator=: group=( value=checkout keyword=OR ' +
        'value=payments group=) operator=- field=logger operator=: value=urllib3 text="timed out"',
    );
  });

  test.each(['', '"open', 'a:"b\\"c', '-', ':', 'x:/ab', 'é"😀" (', 'a<=3|count', 'OR', '\u0000\t'])(
    'together they are the query again: %j',
    (query) => {
      expect(
        tokens(query)
          .map((token) => token.text)
          .join(''),
      ).toBe(query);
    },
  );
});

describe('term', () => {
  test('plain names and values stand as they are', () => {
    expect(term('user.id', '42')).toBe('user.id:42');
  });

  test('what would be read otherwise is quoted', () => {
    expect(term('psp', 'a "b" (c)*')).toBe('psp:"a \\"b\\" (c)*"');
    expect(term('host', 'x')).toBe('"host":x');
    expect(term('file', '/srv/app.py')).toBe('file:"/srv/app.py"');
    expect(term('a', '')).toBe('a:""');
  });
});

describe('withTerm', () => {
  test('a term is added, once', () => {
    expect(withTerm('', 'a:1', false)).toBe('a:1');
    expect(withTerm('x a:1 y', 'a:1', false)).toBe('x y a:1');
  });

  test('excluding what was asked for replaces it', () => {
    expect(withTerm('a:1 x', 'a:1', true)).toBe('x -a:1');
  });

  test('alternatives are put in parentheses', () => {
    expect(withTerm('a OR b', 'c:1', false)).toBe('(a OR b) c:1');
    expect(withTerm('(a OR b) d', 'c:1', false)).toBe('(a OR b) d c:1');
  });
});

test('needles are free words, phrases and what the message must have', () => {
  expect(needles('boom service:api -quiet "two words" message:late a* OR (x)')).toEqual([
    'boom',
    'two words',
    'late',
    'x',
  ]);
});

test.each([
  ['service:(cart OR a) boom', 'boom'],
  ['service:(cart OR (a OR b)) (boom)', 'boom'],
  ['message:(early OR late) x', 'early late x'],
  ['-(a OR b) NOT c d', 'd'],
  ['-message:a -message:(b OR c) d', 'd'],
  ['message:/a b/ duration_ms>250 d', 'd'],
  ['service:cart OR d', 'd'],
  ['d | count by service, level', 'd'],
])('values of other fields and what must not be there are no needles: %s', (query, wanted) => {
  expect(needles(query).join(' ')).toBe(wanted);
});

test('positions count characters, not their halves', () => {
  expect(offsetOfCharacter('😀a(', 2)).toBe(3);
});

describe('paint', () => {
  const wrong = (query: string, at: number): string[] =>
    paint(query, at)
      .filter((piece) => piece.wrong)
      .map((piece) => piece.text);

  test('the wrong character stands alone, whole', () => {
    expect(wrong('a:(b', 2)).toEqual(['(']);
    expect(wrong('a 😀 b', 2)).toEqual(['😀']);
  });

  test('what is missing at the end has a place', () => {
    expect(wrong('a:', 2)).toEqual([' ']);
  });

  test('nothing is wrong without a place', () => {
    expect(wrong('a:b', -1)).toEqual([]);
  });
});
