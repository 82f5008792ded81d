/** Counts by level as stacked bars, and the same in words. */

import type { Counts } from './answers';
import { LEVELS, levelOf, type Level } from './levels';
import type { Range } from './range';
import { plural } from './text';
import { clock, tick, type Zone } from './time';

export interface Bar {
  readonly index: number;
  /** Milliseconds since 1970. */
  readonly from: number;
  readonly to: number;
  readonly total: number;
  readonly counts: Readonly<Partial<Record<Level, number>>>;
}

/** The levels as they are painted: the worst stands on top, so it is painted first, behind the others. */
export const PAINTED: readonly Level[] = [...LEVELS].reverse();

export function bars(counts: Counts): Bar[] {
  const levels = byLevel(counts);
  const length = Math.max(0, ...counts.series.map((one) => one.counts.length));
  const totals = Array.from({ length }, (_, index) =>
    LEVELS.reduce((sum, level) => sum + (levels[level][index] ?? 0), 0),
  );
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
    };
  });
}

/** How high each bar is up to each level, in the order of `PAINTED`. */
export function stacks(bars: readonly Bar[]): number[][] {
  return PAINTED.map((_, at) =>
    bars.map((bar) => PAINTED.slice(at).reduce((sum, one) => sum + (bar.counts[one] ?? 0), 0)),
  );
}

/** The chart in so many lines at most. */
export function spans(counts: Counts, lines: number, zone: Zone): { text: string; counts: Bar['counts'] }[] {
  const all = bars(counts);
  const size = Math.max(1, Math.ceil(all.length / lines));
  return Array.from({ length: Math.ceil(all.length / size) }, (_, line) => {
    const some = all.slice(line * size, (line + 1) * size);
    const sums = LEVELS.map((level) => [level, some.reduce((sum, bar) => sum + (bar.counts[level] ?? 0), 0)] as const);
    return {
      text: tick(some[0]?.from ?? counts.from, counts.to - counts.from, zone),
      counts: Object.fromEntries(sums.filter(([, sum]) => sum > 0)),
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

/** The time that some bars cover. */
export function rangeOf(bars: readonly Bar[]): Range | undefined {
  const [first, last] = [bars[0], bars.at(-1)];
  return first && last
    ? { kind: 'between', from: new Date(first.from).toISOString(), to: new Date(last.to).toISOString() }
    : undefined;
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
