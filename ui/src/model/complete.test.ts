import { expect, test } from 'vitest';
import { complete, matching, wantAt } from './complete';

/** The caret is where the bar stands. */
function want(marked: string): string {
  const caret = marked.indexOf('|');
  const { kind, field, typed, from, to } = wantAt(marked.replace('|', ''), caret);
  return `${kind} ${field}[${typed}] ${from}-${to}`;
}

test.each([
  ['|', 'field [] 0-0'],
  ['ser|', 'field [ser] 0-3'],
  ['ser|vice:x', 'field [ser] 0-7'],
  ['service:|', 'value service[] 8-8'],
  ['service:sh|', 'value service[sh] 8-10'],
  ['-service:"a b|"', 'value service[a b] 9-14'],
  ['service:(api OR wor|', 'value service[wor] 16-19'],
  ['service:(api OR worker) lev|', 'field [lev] 24-27'],
  ['level>=war|', 'value level[war] 7-10'],
  ['a service:x |', 'field [] 12-12'],
  ['message:/jo|b/', 'value message[] 11-11'],
])('%s wants %s', (marked, found) => {
  expect(want(marked)).toBe(found);
});

test('the most frequent that begin so come first, what is there already not at all', () => {
  const choices = [
    { text: 'shop', count: 2 },
    { text: 'workshop', count: 9 },
    { text: 'shipping', count: 5 },
    { text: 'sh', count: 7 },
  ];
  expect(matching(choices, 'sh').map((one) => one.text)).toEqual(['shipping', 'shop', 'workshop']);
});

test.each([
  ['ser|', 'service', 'service:', 8],
  ['ser|vice:x', 'service', 'service:x', 8],
  ['service:sh| b', 'my shop', 'service:"my shop" b', 18],
  ['service:|', 'shop', 'service:shop ', 13],
])('%s with %s is %s', (marked, choice, query, caret) => {
  const at = marked.indexOf('|');
  const text = marked.replace('|', '');
  expect(complete(text, wantAt(text, at), choice)).toEqual({ query, caret });
});
