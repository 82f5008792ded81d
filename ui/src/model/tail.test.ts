import { describe, expect, test } from 'vitest';
import type { Frame } from './answers';
import { readEvent } from './event';
import { OFF, retryDelay, step, wordOf, type Effect, type Input, type Tail } from './tail';

const hello: Frame = { type: 'events', events: [], cursor: 'c1' };

function events(cursor: string): Frame {
  const event = readEvent({ _id: 's-1', message: 'x' });
  return { type: 'events', events: event ? [event] : [], cursor };
}

/** Feed inputs one after another; give the last state and all effects. */
function play(inputs: readonly Input[], tail: Tail = OFF): { tail: Tail; effects: Effect[] } {
  const effects: Effect[] = [];

  for (const input of inputs) {
    const next = step(tail, input);
    tail = next.tail;
    effects.push(...next.effects);
  }

  return { tail, effects };
}

const frame = (one: Frame): Input => ({ type: 'frame', frame: one });
const closed: Input = { type: 'closed', dice: 0.5 };

describe('connecting', () => {
  test('it connects without a cursor and waits for the first frame', () => {
    const { tail, effects } = play([{ type: 'start' }]);
    expect(wordOf(tail)).toBe('connecting');
    expect(effects).toEqual([{ type: 'connect', cursor: null }]);
  });

  test('the first frame says where it is, and the page is synced', () => {
    const { tail, effects } = play([{ type: 'start' }, frame(hello)]);
    expect(wordOf(tail)).toBe('live');
    expect(tail.cursor).toBe('c1');
    expect(effects).toContainEqual({ type: 'synced' });
  });

  test('frames after a stop are not delivered', () => {
    const { tail, effects } = play([{ type: 'start' }, frame(hello), { type: 'stop' }, frame(events('c2'))]);
    expect(wordOf(tail)).toBe('off');
    expect(effects.some((effect) => effect.type === 'deliver')).toBe(false);
  });
});

describe('losing the connection', () => {
  test('it resumes behind the last cursor and does not sync twice', () => {
    const { tail, effects } = play([
      { type: 'start' },
      frame(hello),
      frame(events('c2')),
      closed,
      { type: 'retry' },
      frame(events('c3')),
    ]);
    expect(wordOf(tail)).toBe('live');
    expect(effects.filter((effect) => effect.type === 'connect')).toEqual([
      { type: 'connect', cursor: null },
      { type: 'connect', cursor: 'c2' },
    ]);
    expect(effects.filter((effect) => effect.type === 'synced')).toHaveLength(1);
  });

  test('silence counts as a loss', () => {
    const { tail, effects } = play([{ type: 'start' }, frame(hello), { type: 'silent', dice: 0 }]);
    expect(wordOf(tail)).toBe('lost');
    expect(effects).toContainEqual({ type: 'disconnect' });
  });

  test('closing twice waits once', () => {
    const { effects } = play([{ type: 'start' }, closed, closed]);
    expect(effects.filter((effect) => effect.type === 'retryIn')).toHaveLength(1);
  });

  test('attempts are counted until a frame arrives', () => {
    const lost = play([{ type: 'start' }, closed, { type: 'retry' }, closed]);
    expect(lost.tail.attempt).toBe(2);
    expect(play([{ type: 'retry' }, frame(hello)], lost.tail).tail.attempt).toBe(0);
  });

  test('waits grow to a quarter of a minute', () => {
    expect(retryDelay(0, 1)).toBe(500);
    expect(retryDelay(3, 0)).toBe(2000);
    expect(retryDelay(30, 1)).toBe(15_000);
  });
});

describe('pausing', () => {
  test('a pause keeps the connection and still takes frames', () => {
    const { tail, effects } = play([{ type: 'start' }, frame(hello), { type: 'pause' }, frame(events('c2'))]);
    expect(wordOf(tail)).toBe('paused');
    expect(tail.cursor).toBe('c2');
    expect(effects).not.toContainEqual({ type: 'disconnect' });
  });

  test('a loss shows through a pause', () => {
    const { tail } = play([{ type: 'start' }, frame(hello), { type: 'pause' }, closed]);
    expect(wordOf(tail)).toBe('lost');
  });

  test('resuming is live again', () => {
    const { tail } = play([{ type: 'start' }, frame(hello), { type: 'pause' }, { type: 'resume' }]);
    expect(wordOf(tail)).toBe('live');
  });
});

test('a gap is behind until it is calm, and moves the cursor', () => {
  const { tail, effects } = play([{ type: 'start' }, frame(hello), frame({ type: 'gap', count: 40, to: 'c9' })]);
  expect(wordOf(tail)).toBe('behind');
  expect(tail.cursor).toBe('c9');
  expect(effects).toContainEqual({ type: 'skipped', count: 40 });
  expect(wordOf(step(tail, { type: 'calm' }).tail)).toBe('live');
});

test('a sample says how many events one stands for, until the hub sends all again', () => {
  const sampled = (shown: number, of: number): Input => frame({ type: 'sampled', shown, of });
  expect(play([{ type: 'start' }, frame(hello), sampled(10, 400)]).tail.oneOf).toBe(40);
  expect(play([{ type: 'start' }, frame(hello), sampled(10, 400), sampled(10, 10)]).tail.oneOf).toBe(1);
});
