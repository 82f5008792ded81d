import { describe, expect, test } from 'vitest';
import { clean, count, marked, oneLine, plural } from './text';

describe('clean', () => {
  test('terminal codes go', () => {
    expect(clean('\x1b[1;31mred\x1b[0m \x1b]8;;http://x\x07link\x1b]8;;\x07 \x1b]0;title')).toBe('red link ');
  });

  test('control characters and turned text become signs', () => {
    expect(clean('a\x00b\x08c\u202ed')).toBe('a␀b␈c\ufffdd');
  });

  test('tabs and newlines stay', () => {
    expect(clean('a\tb\r\nc')).toBe('a\tb\nc');
  });

  test('markup is left as the text that it is', () => {
    expect(clean('<img src=x onerror=alert(1)>')).toBe('<img src=x onerror=alert(1)>');
  });
});

test('a row has one line, of bounded length', () => {
  expect(oneLine('a\n  b\tc\n')).toBe('a ⏎ b c');
  expect(oneLine('x'.repeat(1_000_000)).length).toBe(600);
});

describe('marked', () => {
  test('needles are found in any case', () => {
    expect(marked('Timed out, timed OUT', ['timed out'])).toEqual([
      { text: 'Timed out', marked: true },
      { text: ', ', marked: false },
      { text: 'timed OUT', marked: true },
    ]);
  });

  test('a needle is no pattern', () => {
    expect(marked('a+b (', ['+b ('])).toEqual([
      { text: 'a', marked: false },
      { text: '+b (', marked: true },
    ]);
  });
});

test('counts have thin thousands', () => {
  expect(count(1284301)).toBe('1\u202f284\u202f301');
  expect(plural(1, 'event')).toBe('1 event');
  expect(plural(2, 'event')).toBe('2 events');
});
