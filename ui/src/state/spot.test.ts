import { expect, test } from 'vitest';
import { SpotState } from './spot.svelte';

test('another screen keeps the columns and lets go of the event', () => {
  const spot = new SpotState();
  spot.arrange(['time', 'message']);
  spot.choose('s-1');
  spot.open('errors');
  expect(spot.now).toEqual({ screen: 'errors', subject: '', event: '', columns: ['time', 'message'] });
});

test('a request is a screen with a subject', () => {
  const spot = new SpotState();
  spot.openRequest('r-77');
  expect([spot.screen, spot.subject]).toEqual(['request', 'r-77']);
  spot.open('logs');
  expect(spot.subject).toBe('r-77');
});

test('an address is taken as it is, and nothing of it but the spot', () => {
  const spot = new SpotState();
  const there = { screen: 'logs', subject: '', event: 's-2', columns: ['level'] } as const;
  spot.take({ ...there, ...{ query: 'x' } });
  expect(spot.now).toEqual(there);
});
