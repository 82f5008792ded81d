/** The hub's HTTP API. Addresses are relative to the page's base, whatever prefix that has. */

import { readCounts, readPage, readProblem, type Counts, type Page, type Problem } from '../model/answers';
import type { LogEvent } from '../model/event';
import { parseJson, type Json } from '../model/json';

export interface Filter {
  readonly query: string;
  readonly from?: string;
  readonly to?: string;
}

/** What the page needs of a hub; tests bring their own. */
export interface Hub {
  search(filter: Filter, limit: number, cursor: string | null, signal?: AbortSignal): Promise<Page>;
  /** The first events of a range, the oldest first. */
  earliest(filter: Filter, limit: number, cursor: string | null, signal?: AbortSignal): Promise<Page>;
  /** The first event there is; undefined if none matches. */
  oldest(query: string, signal?: AbortSignal): Promise<LogEvent | undefined>;
  histogram(filter: Filter, buckets: number, signal?: AbortSignal): Promise<Counts>;
  signIn(token: string): Promise<void>;
  signOut(): Promise<void>;
}

/** The hub said no, or could not be reached (status 0). */
export class HubError extends Error {
  override readonly name = 'HubError';
  readonly status: number;
  readonly problem: Problem;

  constructor(status: number, problem: Problem) {
    super(problem.message);
    this.status = status;
    this.problem = problem;
  }
}

/** The hub that served this page. */
export const hub: Hub = {
  async search(filter, limit, cursor, signal) {
    const values = { ...filter, limit: String(limit), ...(cursor === null ? {} : { cursor }) };
    return readPage(await getJson('api/v1/search', values, signal));
  },

  async earliest(filter, limit, cursor, signal) {
    const values = { ...filter, order: 'oldest', limit: String(limit), ...(cursor === null ? {} : { cursor }) };
    return readPage(await getJson('api/v1/search', values, signal));
  },

  async oldest(query, signal) {
    const page = readPage(await getJson('api/v1/search', { query, order: 'oldest', limit: '1' }, signal));
    return page.events[0];
  },

  async histogram(filter, buckets, signal) {
    const values = { ...filter, buckets: String(buckets), by: 'level' };
    return readCounts(await getJson('api/v1/histogram', values, signal));
  },

  async signIn(token) {
    const headers = { 'Content-Type': 'application/json' };
    await ask('api/v1/session', { method: 'POST', headers, body: JSON.stringify({ token }) });
  },

  async signOut() {
    await ask('api/v1/session', { method: 'DELETE' });
  },
};

export function address(path: string, values: Readonly<Record<string, string>> = {}): URL {
  const url = new URL(path, document.baseURI);
  Object.entries(values).forEach(([name, value]) => {
    url.searchParams.set(name, value);
  });
  return url;
}

export async function getJson(
  path: string,
  values: Readonly<Record<string, string>>,
  signal?: AbortSignal,
): Promise<Json> {
  const text = await ask(path, { headers: { Accept: 'application/json' }, ...(signal ? { signal } : {}) }, values);

  try {
    return parseJson(text);
  } catch {
    throw new HubError(0, { code: 'not_json', message: 'What answered is no hub.' });
  }
}

export async function ask(
  path: string,
  init: RequestInit,
  values: Readonly<Record<string, string>> = {},
): Promise<string> {
  return await (await open(path, init, values)).text().catch(unreachable);
}

/** Ask, and give the answer before its body is here; one that is no answer is an error. */
export async function open(
  path: string,
  init: RequestInit,
  values: Readonly<Record<string, string>> = {},
): Promise<Response> {
  const response = await fetch(address(path, values), { credentials: 'same-origin', ...init }).catch(unreachable);

  if (!response.ok) {
    const problem = problemIn(await response.text().catch(unreachable));
    throw new HubError(response.status, problem ?? { code: '', message: `The hub answered ${response.status}.` });
  }

  return response;
}

/** An abort is the caller's own doing and goes through; everything else means that nobody answered. */
function unreachable(error: unknown): never {
  if (error instanceof DOMException && error.name === 'AbortError') {
    throw error;
  }

  throw new HubError(0, { code: 'unreachable', message: 'The hub does not answer.' });
}

function problemIn(text: string): Problem | undefined {
  try {
    return readProblem(parseJson(text));
  } catch {
    return undefined;
  }
}
