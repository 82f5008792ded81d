import { expect, test } from 'vitest';
import { AnswerState } from './answer.svelte';
import { away, settle } from './scripted';

test('what was asked last counts, however late the answer to the question before is', async () => {
  const answer = new AnswerState<string>();
  let late: (text: string) => void = () => undefined;
  void answer.load(() => new Promise((resolve) => (late = resolve)));
  await answer.load(() => Promise.resolve('second'));
  late('first');
  await settle();
  expect(answer.value).toBe('second');
  expect(answer.busy).toBe(false);
});

test('what is there stays until the answer is, and stays when there is none', async () => {
  const answer = new AnswerState<string>();
  await answer.load(() => Promise.resolve('old'));
  const asked = answer.load(() => Promise.reject(away));
  expect([answer.value, answer.busy]).toEqual(['old', true]);
  await asked;
  expect([answer.value, answer.busy]).toEqual(['old', false]);
  expect(answer.failure).toEqual({ status: 0, problem: away.problem });
});

test('a failure is forgotten with the next answer', async () => {
  const answer = new AnswerState<string>();
  await answer.load(() => Promise.reject(away));
  await answer.load(() => Promise.resolve('new'));
  expect(answer.failure).toBeUndefined();
});

test('what is stopped is called off, and no failure', async () => {
  const answer = new AnswerState<string>();
  let asked: AbortSignal | undefined;
  const done = answer.load((signal) => {
    asked = signal;
    return settle().then(() => Promise.reject(away));
  });
  answer.stop();
  await done;
  expect(asked?.aborted).toBe(true);
  expect([answer.failure, answer.busy]).toEqual([undefined, false]);
});

test('an error of the page itself is no failure of the hub', async () => {
  const answer = new AnswerState<string>();
  await expect(answer.load(() => Promise.reject(new TypeError('a bug')))).rejects.toThrow('a bug');
});
