import { expect, test } from 'vitest';
import { readServer } from './server';

test.each([
  ['http://127.0.0.1:8514/', 'http://127.0.0.1:8514'],
  ['https://example.org/our/logs/', 'https://example.org/our/logs'],
  ['https://example.org/logs/index.html?a=/b#/c/', 'https://example.org/logs'],
])('an application sends to the folder of the page: %s', (base, url) => {
  expect(readServer(base, '').url).toBe(url);
});

test('a server lacks what it says that it lacks, and nothing else', () => {
  const whole = { takesEvents: true, writesParquet: true, asksForToken: true };
  expect(readServer('http://h/', '')).toMatchObject(whole);
  expect(readServer('http://h/', 'ingest parquet')).toMatchObject({
    takesEvents: false,
    writesParquet: false,
    asksForToken: true,
  });
  expect(readServer('http://h/', 'token')).toMatchObject({ ...whole, asksForToken: false });
  expect(readServer('http://h/', 'what comes later')).toMatchObject(whole);
});
