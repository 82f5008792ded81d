import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { hub, HubError } from './hub';

const asked: string[] = [];

/** Answer the next request with this. */
function answer(status: number, body: string): void {
  vi.stubGlobal('fetch', (url: URL) => {
    asked.push(url.href);
    return Promise.resolve(new Response(body, { status }));
  });
}

async function failure(work: Promise<unknown>): Promise<HubError> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );

  if (error instanceof HubError) {
    return error;
  }

  throw new Error('it did not fail as the hub fails');
}

beforeEach(() => {
  asked.length = 0;
  vi.stubGlobal('document', { baseURI: 'http://127.0.0.1:8514/logs/' });
});

afterEach(() => {
  vi.unstubAllGlobals();
});

test('addresses stand under the prefix of the page', async () => {
  answer(200, '{"events": [], "cursor": null}');
  await hub.search({ query: 'a b', from: '-15m' }, 200, 'c1');
  expect(asked).toEqual(['http://127.0.0.1:8514/logs/api/v1/search?query=a+b&from=-15m&limit=200&cursor=c1']);
});

test('what the hub says is wrong is kept, with its place', async () => {
  answer(400, '{"error": {"code": "bad_query", "message": "expected a value", "position": 3}}');
  const error = await failure(hub.search({ query: 'a:' }, 1, null));
  expect(error.status).toBe(400);
  expect(error.problem).toEqual({ code: 'bad_query', message: 'expected a value', position: 3 });
});

test('an error that is not the hub’s has its number', async () => {
  answer(502, '<html>Bad gateway</html>');
  expect((await failure(hub.search({ query: '' }, 1, null))).message).toBe('The hub answered 502.');
});

test('a page in place of an answer is no hub', async () => {
  answer(200, '<html>Sign in to the hotel</html>');
  expect((await failure(hub.search({ query: '' }, 1, null))).problem.code).toBe('not_json');
});

test('nobody there is status 0', async () => {
  vi.stubGlobal('fetch', () => Promise.reject(new TypeError('Failed to fetch')));
  expect((await failure(hub.search({ query: '' }, 1, null))).status).toBe(0);
});

test('an abort is the caller’s own', async () => {
  vi.stubGlobal('fetch', () => Promise.reject(new DOMException('aborted', 'AbortError')));
  await expect(hub.search({ query: '' }, 1, null)).rejects.toBeInstanceOf(DOMException);
});
