/** What the reader prefers, kept in this browser. A browser that keeps nothing (private mode) is no error. */

import type { Zone } from '../model/time';

export const THEMES = ['system', 'light', 'dark'] as const;
export type Theme = (typeof THEMES)[number];

const THEME_KEY = 'loghub.theme';
const ZONE_KEY = 'loghub.zone';

export class SettingsState {
  #theme = $state<Theme>(THEMES.find((theme) => theme === recall(THEME_KEY)) ?? 'system');
  #zone = $state<Zone>(recall(ZONE_KEY) === 'utc' ? 'utc' : 'local');

  get theme(): Theme {
    return this.#theme;
  }

  set theme(theme: Theme) {
    this.#theme = theme;
    keep(THEME_KEY, theme);
  }

  get zone(): Zone {
    return this.#zone;
  }

  set zone(zone: Zone) {
    this.#zone = zone;
    keep(ZONE_KEY, zone);
  }
}

function recall(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

function keep(key: string, value: string): void {
  try {
    localStorage.setItem(key, value);
  } catch {
    // It holds until the page is closed.
  }
}
