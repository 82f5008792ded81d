/** What the reader prefers, kept in this browser. */

import type { Widths } from '../model/columns';
import { asNumber, isObject, parseJson } from '../model/json';
import type { Zone } from '../model/time';
import { keep, recall } from './storage';

export const THEMES = ['system', 'light', 'dark'] as const;
export type Theme = (typeof THEMES)[number];
export const DENSITIES = ['dense', 'airy'] as const;
export type Density = (typeof DENSITIES)[number];
export type Order = 'newest' | 'oldest';

export class SettingsState {
  #theme = $state(one(THEMES, 'theme'));
  #zone = $state(one(['local', 'utc'] as const, 'zone'));
  #density = $state(one(DENSITIES, 'density'));
  #order = $state(one(['newest', 'oldest'] as const, 'order'));
  #wrap = $state(recall('wrap') === 'yes');
  #facets = $state(recall('facets') !== 'no');
  #widths = $state.raw<Widths>(widths());

  get theme(): Theme {
    return this.#theme;
  }

  set theme(theme: Theme) {
    this.#theme = theme;
    keep('theme', theme);
  }

  get zone(): Zone {
    return this.#zone;
  }

  set zone(zone: Zone) {
    this.#zone = zone;
    keep('zone', zone);
  }

  get density(): Density {
    return this.#density;
  }

  set density(density: Density) {
    this.#density = density;
    keep('density', density);
  }

  /** Which events stand at the top of the list. */
  get order(): Order {
    return this.#order;
  }

  set order(order: Order) {
    this.#order = order;
    keep('order', order);
  }

  get wrap(): boolean {
    return this.#wrap;
  }

  set wrap(wrap: boolean) {
    this.#wrap = wrap;
    keep('wrap', wrap ? 'yes' : 'no');
  }

  /** The fields beside the list are shown. */
  get facets(): boolean {
    return this.#facets;
  }

  set facets(facets: boolean) {
    this.#facets = facets;
    keep('facets', facets ? 'yes' : 'no');
  }

  /** Widths of columns that were changed by hand, in pixels. */
  get widths(): Widths {
    return this.#widths;
  }

  set widths(widths: Widths) {
    this.#widths = widths;
    keep('widths', JSON.stringify(widths));
  }
}

/** What is kept, if it is still one of the options; else the first. */
function one<const T extends readonly [string, ...string[]]>(options: T, name: string): T[number] {
  return options.find((option) => option === recall(name)) ?? options[0];
}

function widths(): Widths {
  try {
    const found = parseJson(recall('widths') ?? '{}');
    const pairs = Object.entries(isObject(found) ? found : {}).map(([name, width]) => [name, asNumber(width) ?? 0]);
    return Object.fromEntries(pairs.filter(([, width]) => Number(width) > 0)) as Widths;
  } catch {
    return {};
  }
}
