import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { emptyStorage } from './scripted';
import { SettingsState } from './settings.svelte';
import { keep, recall } from './storage';

beforeEach(() => {
  vi.stubGlobal('localStorage', emptyStorage());
});

afterEach(() => {
  vi.unstubAllGlobals();
});

test('what is chosen is there again when the page is', () => {
  const settings = new SettingsState();
  settings.theme = 'dark';
  settings.zone = 'utc';
  settings.density = 'airy';
  settings.order = 'oldest';
  settings.wrap = true;
  settings.facets = false;
  settings.widths = { message: 300 };
  const { theme, zone, density, order, wrap, facets, widths } = new SettingsState();
  expect({ theme, zone, density, order, wrap, facets, widths }).toEqual({
    theme: 'dark',
    zone: 'utc',
    density: 'airy',
    order: 'oldest',
    wrap: true,
    facets: false,
    widths: { message: 300 },
  });
});

test('what is kept and no option any more is the usual', () => {
  keep('theme', 'sepia');
  keep('widths', '{"message": -3, "time": "wide", "level": 80}');
  const settings = new SettingsState();
  expect([settings.theme, settings.widths]).toEqual(['system', { level: 80 }]);
  keep('widths', 'nothing of JSON');
  expect(new SettingsState().widths).toEqual({});
});

test('a browser that keeps nothing is no error', () => {
  const refuse = (): never => {
    throw new DOMException('The operation is insecure.', 'SecurityError');
  };
  vi.stubGlobal('localStorage', { getItem: refuse, setItem: refuse });
  const settings = new SettingsState();
  settings.theme = 'dark';
  expect(settings.theme).toBe('dark');
  expect(recall('theme')).toBeNull();
});
