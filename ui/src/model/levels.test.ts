import { expect, test } from 'vitest';
import { shortLevel } from './levels';

test.each([
  ['WARNING', 'WARN'],
  ['INFO', 'INFO'],
  ['Level 35', '35'],
  ['NOTICE', 'NOTIC'],
])('level %s is %s in a row', (name, short) => {
  expect(shortLevel(name)).toBe(short);
});
