/** A hub for tests: what is asked of it is kept, and what it answers is in the test's hand. */

import { HubError, type Filter, type Hub } from '../api/hub';
import type { Reports } from '../api/reports';
import type { OpenTail } from '../api/tail';
import { readServer } from '../model/server';
import { readStats } from '../model/stats';

export const SERVER = readServer('http://127.0.0.1:8514/', '');

export const away = new HubError(0, { code: 'unreachable', message: 'The hub does not answer.' });

/** Answers that nobody asks for in a test fail it by what they are. */
export function scriptedHub(answers: Partial<Hub> = {}): Hub {
  return {
    search: () =>
      Promise.resolve({ events: [], cursor: null, tookMs: 1, total: 0, scanned: 0, partitions: 0, skipped: 0 }),
    earliest: () => Promise.reject(new Error('not asked here')),
    oldest: () => Promise.resolve(undefined),
    histogram: () => Promise.resolve({ from: 0, to: 1000, stepMs: 1000, series: [], total: 0 }),
    signIn: () => Promise.resolve(),
    signOut: () => Promise.resolve(),
    ...answers,
  };
}

export function scriptedReports(answers: Partial<Reports> = {}): Reports {
  return {
    facets: () => Promise.resolve([]),
    fields: () => Promise.resolve([]),
    patterns: () => Promise.resolve({ groups: [], cursor: null }),
    faults: () => Promise.resolve({ groups: [], cursor: null }),
    sources: () => Promise.resolve([]),
    context: () => Promise.resolve({ before: [], event: undefined, after: [] }),
    stats: () => Promise.resolve(readStats({})),
    ...answers,
  };
}

/** A tail that never says anything. */
export const silentTail: OpenTail = () => () => undefined;

export const LAST_HOUR: Filter = { query: '', from: '-1h' };

/** Let everything that was answered arrive. */
export const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 0));

/** A browser's storage, empty. */
export function emptyStorage(): Pick<Storage, 'getItem' | 'setItem'> {
  const kept: Record<string, string> = {};
  return {
    getItem: (name) => kept[name] ?? null,
    setItem: (name, value) => {
      kept[name] = value;
    },
  };
}
