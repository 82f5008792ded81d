/** Which bars of a chart are looked at, by pointer and by keys. Pure. */

export interface Brush {
  /** The bar under the pointer, or where the arrow keys have gone. */
  readonly at?: number;
  /** Where a choice of several began. */
  readonly from?: number;
}

export interface Chosen {
  readonly first: number;
  readonly last: number;
}

const LEAP = 10;

const STEPS: Readonly<Record<string, (at: number, last: number) => number>> = {
  ArrowLeft: (at) => at - 1,
  ArrowRight: (at) => at + 1,
  PageDown: (at) => at - LEAP,
  PageUp: (at) => at + LEAP,
  Home: () => 0,
  End: (_, last) => last,
};

/** All bars between both ends of the choice, or the one. */
export function chosen({ at, from }: Brush): Chosen | undefined {
  return at === undefined ? undefined : { first: Math.min(from ?? at, at), last: Math.max(from ?? at, at) };
}

/** Where a key leads among `length` bars; undefined if it is none of the chart's. Keys begin at the newest bar. */
export function walk(brush: Brush, key: string, extend: boolean, length: number): Brush | undefined {
  const step = STEPS[key];

  if (key === 'Escape') {
    return brush.at === undefined ? undefined : {};
  }

  if (step === undefined || length === 0) {
    return undefined;
  }

  const last = length - 1;
  const at = brush.at === undefined ? last : Math.max(0, Math.min(step(brush.at, last), last));
  return extend ? { at, from: brush.from ?? brush.at ?? at } : { at };
}
