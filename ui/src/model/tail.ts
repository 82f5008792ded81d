/**
 * The live tail as a state machine: no clock, no socket, no dice of its own.
 *
 * 1. `step(tail, input)` gives the next state and what is to be done; the caller does it and feeds back what happened.
 * 2. A connection counts once its first frame is there: only then the place in the stream is known.
 * 3. What is lost is tried again, later each time, and goes on behind the last cursor: nothing missing, nothing twice.
 * 4. Silence is a loss: a hub sends heartbeats, so a link without them is dead even if nobody closed it.
 * 5. A loss that lasts is told: most are over before anyone could read of them.
 * 6. Pausing holds the view, not the connection.
 */

import type { Frame } from './answers';
import type { LogEvent } from './event';

export type Link = 'off' | 'connecting' | 'live' | 'lost';
export type Word = 'off' | 'connecting' | 'live' | 'paused' | 'behind' | 'lost';

export interface Tail {
  readonly link: Link;
  readonly paused: boolean;
  /** The hub had to skip for this page a moment ago. */
  readonly behind: boolean;
  readonly cursor: string | null;
  /** Attempts since the last connection that worked. */
  readonly attempt: number;
  /** The hub sends one of so many events, more than an eye can read; 1 where it sends all. */
  readonly oneOf: number;
  /** The connection has been lost for so long that the reader should know why. */
  readonly away: boolean;
}

export type Input =
  | { readonly type: 'start' }
  | { readonly type: 'stop' }
  | { readonly type: 'frame'; readonly frame: Frame }
  | { readonly type: 'closed'; readonly dice: number }
  | { readonly type: 'silent'; readonly dice: number }
  | { readonly type: 'retry' }
  | { readonly type: 'calm' }
  | { readonly type: 'away' }
  | { readonly type: 'pause' }
  | { readonly type: 'resume' };

export type Effect =
  | { readonly type: 'connect'; readonly cursor: string | null }
  | { readonly type: 'disconnect' }
  | { readonly type: 'retryIn'; readonly ms: number }
  | { readonly type: 'silentIn'; readonly ms: number }
  | { readonly type: 'calmIn'; readonly ms: number }
  | { readonly type: 'awayIn'; readonly ms: number }
  /** From here on nothing is missed: what came before is the search's matter. */
  | { readonly type: 'synced' }
  | { readonly type: 'failed' }
  | { readonly type: 'deliver'; readonly events: readonly LogEvent[] }
  | { readonly type: 'skipped'; readonly count: number };

export interface Step {
  readonly tail: Tail;
  readonly effects: readonly Effect[];
}

export const OFF: Tail = { link: 'off', paused: false, behind: false, cursor: null, attempt: 0, oneOf: 1, away: false };

/** Longer than two heartbeats of the hub. */
export const SILENCE_MS = 45_000;
export const CALM_MS = 5_000;
export const AWAY_MS = 2_000;
const FIRST_RETRY_MS = 500;
const LAST_RETRY_MS = 15_000;

export function step(tail: Tail, input: Input): Step {
  switch (input.type) {
    case 'start':
      return {
        tail: { ...OFF, paused: tail.paused, link: 'connecting' },
        effects: [{ type: 'connect', cursor: null }],
      };
    case 'stop':
      return { tail: OFF, effects: [{ type: 'disconnect' }] };
    case 'frame':
      return tail.link === 'off' ? same(tail) : take(tail, input.frame);
    case 'closed':
    case 'silent':
      return lose(tail, input.dice);
    case 'retry':
      return tail.link === 'lost' ? connect(tail) : same(tail);
    case 'calm':
      return same({ ...tail, behind: false });
    case 'away':
      return same({ ...tail, away: tail.attempt > 0 });
    case 'pause':
      return same({ ...tail, paused: tail.link !== 'off' });
    case 'resume':
      return same({ ...tail, paused: false });
  }
}

/** The one word that the page shows; the worst comes first. */
export function wordOf(tail: Tail): Word {
  if (tail.link !== 'live') {
    return tail.link;
  }

  return tail.paused ? 'paused' : tail.behind ? 'behind' : 'live';
}

/** Wait longer each time, at most a quarter of a minute, each page a little differently. */
export function retryDelay(attempt: number, dice: number): number {
  const ceiling = Math.min(FIRST_RETRY_MS * 2 ** attempt, LAST_RETRY_MS);
  return Math.round(ceiling * (0.5 + dice / 2));
}

function take(tail: Tail, frame: Frame): Step {
  const effects: Effect[] = [{ type: 'silentIn', ms: SILENCE_MS }];
  const fresh = tail.cursor === null;
  const next = { ...tail, link: 'live' as const, attempt: 0, away: false };

  switch (frame.type) {
    case 'heartbeat':
      return { tail: next, effects };
    case 'sampled':
      return { tail: { ...next, oneOf: Math.max(1, Math.round(frame.of / Math.max(frame.shown, 1))) }, effects };
    case 'gap':
      effects.push({ type: 'skipped', count: frame.count }, { type: 'calmIn', ms: CALM_MS });
      return { tail: { ...next, behind: true, cursor: frame.to ?? tail.cursor }, effects };
    case 'events':
      if (fresh) {
        effects.push({ type: 'synced' });
      }

      if (frame.events.length > 0) {
        effects.push({ type: 'deliver', events: frame.events });
      }

      return { tail: { ...next, cursor: frame.cursor ?? tail.cursor }, effects };
  }
}

function lose(tail: Tail, dice: number): Step {
  if (tail.link === 'off' || tail.link === 'lost') {
    return same(tail);
  }

  const lost: Tail = { ...tail, link: 'lost', behind: false, attempt: tail.attempt + 1 };
  const ms = retryDelay(tail.attempt, dice);
  const first: Effect[] = tail.attempt === 0 ? [{ type: 'awayIn', ms: AWAY_MS }] : [];
  return { tail: lost, effects: [{ type: 'disconnect' }, { type: 'failed' }, { type: 'retryIn', ms }, ...first] };
}

function connect(tail: Tail): Step {
  return { tail: { ...tail, link: 'connecting' }, effects: [{ type: 'connect', cursor: tail.cursor }] };
}

function same(tail: Tail): Step {
  return { tail, effects: [] };
}
