import { expect, test } from 'vitest';
import { RateState } from './rate.svelte';

test('it is the mean of the last five seconds', () => {
  const rate = new RateState();
  rate.count(10);
  rate.tick();
  expect(rate.perSecond).toBe(10);
  rate.tick();
  expect(rate.perSecond).toBe(5);
  [1, 2, 3, 4].forEach(() => rate.tick());
  expect(rate.perSecond).toBe(0);
});
