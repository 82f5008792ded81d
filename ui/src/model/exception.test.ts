import { expect, test } from 'vitest';
import { packageOf, readTrouble, runs, shortPath } from './exception';
import type { Json } from './json';

const lib = '/usr/lib/python3.12/site-packages/httpx/_client.py';

test('library frames that follow each other are folded', () => {
  const trouble = readTrouble({
    type: 'ReadTimeout',
    frames: [
      { file: '/srv/shop/app.py', line: 3, in_app: true },
      { file: lib, line: 1, in_app: false },
      { file: lib, line: 2, in_app: false },
      { file: '/usr/lib/python3.12/ssl.py', line: 9, in_app: false },
    ],
  });
  expect(trouble?.stretches.map((one) => [one.inApp, one.frames.length, one.packages.join()])).toEqual([
    [true, 1, 'app'],
    [false, 3, 'httpx,ssl'],
  ]);
});

test('a chain and a group are read', () => {
  const trouble = readTrouble({
    type: 'ExceptionGroup',
    cause: { type: 'OSError', context: { type: 'KeyError' } },
    exceptions: [{ type: 'ValueError' }, 3],
  });
  expect(trouble?.before?.relation).toBe('caused by');
  expect(trouble?.before?.trouble.before?.relation).toBe('while handling');
  expect(trouble?.members.map((member) => member.type)).toEqual(['ValueError']);
});

test('a chain without end is cut', () => {
  const last: Record<string, Json> = { type: 'A' };
  let chain: Json = last;

  for (let depth = 0; depth < 1000; depth++) {
    chain = { type: 'A', cause: chain };
  }

  expect(JSON.stringify(readTrouble(chain)).length).toBeLessThan(10_000);
});

test('what is no exception is none', () => {
  expect(readTrouble('boom')).toBeUndefined();
  expect(readTrouble(undefined)).toBeUndefined();
});

test('paths are named by package or by their end', () => {
  expect(packageOf(lib)).toBe('httpx');
  expect(packageOf('/usr/lib/python3.12/ssl.py')).toBe('ssl');
  expect(packageOf('C:\\app\\shop.py')).toBe('shop');
  expect(shortPath('/srv/shop/payments/psp.py')).toBe('payments/psp.py');
});

test('the frames of a recursion are one and the others', () => {
  const frame = { file: '/srv/a.py', source: '', inApp: true, locals: [] };
  const down = { ...frame, line: 2, function: 'down' };
  const found = runs([
    { ...frame, line: 9, function: 'main' },
    ...Array.from({ length: 99 }, () => down),
    { ...down, line: 3 },
  ]);
  expect(found.map((run) => [run.first.function, run.again.length])).toEqual([
    ['main', 0],
    ['down', 98],
    ['down', 0],
  ]);
});
