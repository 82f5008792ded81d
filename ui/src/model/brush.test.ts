import { expect, test } from 'vitest';
import { chosen, walk, type Brush } from './brush';

function press(keys: string, length = 100): Brush | undefined {
  return keys.split(' ').reduce<Brush | undefined>((brush, key) => {
    const plain = key.replace('+', '');
    return brush && walk(brush, plain, key.startsWith('+'), length);
  }, {});
}

test('the first key takes the newest bar, those behind it walk', () => {
  expect(press('ArrowLeft')).toEqual({ at: 99 });
  expect(press('Home')).toEqual({ at: 99 });
  expect(press('ArrowLeft ArrowLeft ArrowLeft ArrowRight')).toEqual({ at: 98 });
  expect(press('End Home')).toEqual({ at: 0 });
  expect(press('End PageDown')).toEqual({ at: 89 });
});

test('no key leads beyond an end', () => {
  expect(press('End ArrowRight')).toEqual({ at: 99 });
  expect(press('End Home ArrowLeft')).toEqual({ at: 0 });
  expect(walk({}, 'ArrowLeft', false, 0)).toBeUndefined();
});

test('shift chooses from where it was pressed first, and a key without it lets go', () => {
  expect(press('End ArrowLeft +ArrowLeft +ArrowLeft')).toEqual({ at: 96, from: 98 });
  expect(chosen({ at: 96, from: 98 })).toEqual({ first: 96, last: 98 });
  expect(press('End +ArrowLeft ArrowLeft')).toEqual({ at: 97 });
});

test('escape lets go of all, and is nothing of the chart where nothing is chosen', () => {
  expect(press('End +ArrowLeft Escape')).toEqual({});
  expect(press('Escape')).toBeUndefined();
  expect(press('j')).toBeUndefined();
});

test('one bar is chosen by itself', () => {
  expect(chosen({ at: 3 })).toEqual({ first: 3, last: 3 });
  expect(chosen({})).toBeUndefined();
});
