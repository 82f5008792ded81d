/** Counts by level as stacked bars, and the same in words. */

import type { Counts } from './answers';
import { LEVELS, levelOf, type Level } from './levels';
import { plural } from './text';
import { clock, tick, type Zone } from './time';

export interface Bar {
  readonly index: number;
  /** Milliseconds since 1970. */
  readonly from: number;
  readonly to: number;
  readonly total: number;
  readonly counts: Readonly<Partial<Record<Level, number>>>;
  /** Bottom to top; `y` and `height` are shares of the highest bar. */
  readonly blocks: readonly { readonly level: Level; readonly y: number; readonly height: number }[];
}

export function bars(counts: Counts): Bar[] {
  const levels = byLevel(counts);
  const length = Math.max(0, ...counts.series.map((one) => one.counts.length));
  const totals = Array.from({ length }, (_, index) =>
    LEVELS.reduce((sum, level) => sum + (levels[level][index] ?? 0), 0),
  );
  const highest = Math.max(1, ...totals);
  const step = stepOf(counts, length);

  return totals.map((total, index) => {
    const from = counts.from + index * step;
    const here = LEVELS.flatMap((level) =>
      (levels[level][index] ?? 0) > 0 ? [[level, levels[level][index] ?? 0] as const] : [],
    );
    return {
      index,
      from,
      to: from + step,
      total,
      counts: Object.fromEntries(here),
      blocks: stack(here, highest),
    };
  });
}

export interface Tick {
  readonly text: string;
  /** Where it stands, as a share of the range. */
  readonly at: number;
}

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const STEPS = [
  ...[1, 2, 5, 10, 15, 30].map((seconds) => seconds * 1000),
  ...[1, 2, 5, 10, 15, 30].map((minutes) => minutes * MINUTE),
  ...[1, 2, 3, 6, 12].map((hours) => hours * HOUR),
  ...[1, 2, 7, 14, 30, 90, 365].map((days) => days * DAY),
];

/** Labels for the time below: round times, each where it is, at most so many. */
export function ticks({ from, to }: Counts, most: number, zone: Zone): Tick[] {
  const span = to - from;
  const step = STEPS.find((one) => span / one <= most);

  if (!(span > 0) || step === undefined) {
    return [];
  }

  // Round for the reader's clock: half past is another moment in a zone of half hours.
  const shift = zone === 'utc' ? 0 : -new Date(from).getTimezoneOffset() * MINUTE;
  const first = Math.ceil((from + shift) / step) * step - shift;
  return Array.from({ length: Math.floor((to - first) / step) + 1 }, (_, index) => {
    const time = first + index * step;
    return { text: tick(time, step < MINUTE ? step : Math.max(span, 10 * MINUTE), zone), at: (time - from) / span };
  });
}

/** Sum of each level that occurs, the worst first. */
export function totals(counts: Counts): { level: Level; count: number }[] {
  const levels = byLevel(counts);
  return LEVELS.map((level) => ({ level, count: levels[level].reduce((sum, one) => sum + one, 0) }))
    .filter((one) => one.count > 0)
    .reverse();
}

/** The chart for those who do not see it. */
export function summary(counts: Counts, zone: Zone): string {
  const parts = totals(counts).map(({ level, count }) => plural(count, level, level));

  if (parts.length === 0) {
    return 'No events in this range.';
  }

  const peak = bars(counts).reduce((best, bar) => (bar.total > best.total ? bar : best));
  const span = counts.to - counts.from;
  const from = tick(counts.from, span, zone);
  const to = tick(counts.to, span, zone);
  return `${plural(counts.total, 'event')} from ${from} to ${to}: ${parts.join(', ')}. Most at ${tick(peak.from, span, zone)}.`;
}

/** Several bars in words: what a brush would look at. */
export function describeSpan(bars: readonly Bar[], zone: Zone): string {
  const total = bars.reduce((sum, bar) => sum + bar.total, 0);
  return `${second(bars[0]?.from, zone)} – ${second(bars.at(-1)?.to, zone)}: ${plural(total, 'event')}`;
}

/** One bar in words. */
export function describe(bar: Bar, zone: Zone): string {
  const parts = [...LEVELS].reverse().flatMap((level) => {
    const count = bar.counts[level];
    return count === undefined ? [] : [plural(count, level, level)];
  });
  return `${second(bar.from, zone)}: ${parts.join(', ') || 'nothing'}`;
}

/** The hub gives whole milliseconds, which over many bars are a bar's width: where the bars fill the range, divide it. */
function stepOf({ from, to, stepMs }: Counts, length: number): number {
  return Math.abs(length * stepMs - (to - from)) <= length ? (to - from) / length : stepMs;
}

function stack(here: readonly (readonly [Level, number])[], highest: number): Bar['blocks'] {
  let below = 0;
  return here.map(([level, count]) => {
    const height = count / highest;
    below += height;
    return { level, y: 1 - below, height };
  });
}

/** Several names may mean the same level: WARN and WARNING. */
function byLevel(counts: Counts): Record<Level, number[]> {
  const levels: Record<Level, number[]> = { debug: [], info: [], warning: [], error: [], critical: [] };

  for (const { key, counts: values } of counts.series) {
    const sums = levels[levelOf(key)];
    values.forEach((value, index) => (sums[index] = (sums[index] ?? 0) + value));
  }

  return levels;
}

function second(time: number | undefined, zone: Zone): string {
  return time === undefined ? '' : clock(new Date(time).toISOString(), zone).slice(0, 8);
}
