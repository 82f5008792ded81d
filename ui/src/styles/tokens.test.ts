import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const css = readFileSync(new URL('./tokens.css', import.meta.url), 'utf8');
const SURFACES = ['page', 'raised', 'sunken', 'hover', 'select'];
const TEXTS = [
  'strong',
  'text',
  'quiet',
  'faint',
  'string',
  'number',
  'accent',
  'debug',
  'info',
  'warning',
  'error',
  'critical',
];
const AA = 4.5;

/** A variable's colours, light and dark. */
function colours(name: string): string[] {
  const pair = new RegExp(`--${name}: light-dark\\((#\\w+), (#\\w+)\\)`).exec(css);
  expect(pair, name).not.toBeNull();
  return [pair?.[1] ?? '', pair?.[2] ?? ''];
}

/** Relative luminance, as WCAG 2 defines it. */
function luminance(colour: string): number {
  const parts = [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16) / 255);
  const [red = 0, green = 0, blue = 0] = parts.map((part) =>
    part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4,
  );
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(a: string, b: string): number {
  const [dark = 0, light = 0] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (light + 0.05) / (dark + 0.05);
}

test.each(TEXTS.flatMap((text) => SURFACES.map((surface): [string, string] => [text, surface])))(
  '%s can be read on %s',
  (text, surface) => {
    const [texts, surfaces] = [colours(text), colours(surface)];
    texts.forEach((colour, index) => {
      expect(contrast(colour, surfaces[index] ?? '')).toBeGreaterThanOrEqual(AA);
    });
  },
);

test('what stands on the accent can be read', () => {
  const [accents, texts] = [colours('accent'), colours('on-accent')];
  accents.forEach((accent, index) => {
    expect(contrast(accent, texts[index] ?? '')).toBeGreaterThanOrEqual(AA);
  });
});
