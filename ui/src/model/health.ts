/** How the hub is, from its own metrics. A figure that this hub does not have is left out. */

import { metric } from './reports';
import { count } from './text';

export interface Figure {
  readonly name: string;
  readonly text: string;
  readonly bad: boolean;
}

interface Kind {
  readonly name: string;
  readonly metric: string;
  readonly write: (value: number) => string;
  /** More than none of these is bad news. */
  readonly loss?: true;
}

const KINDS: readonly Kind[] = [
  { name: 'Events in the store', metric: 'loghub_hub_events', write: count },
  { name: 'Stored since its start', metric: 'loghub_hub_events_accepted', write: count },
  { name: 'Sent again and trimmed', metric: 'loghub_hub_events_duplicate', write: count },
  { name: 'Lines that are no events', metric: 'loghub_hub_lines_quarantined', write: count, loss: true },
  { name: 'Live tails', metric: 'loghub_hub_subscribers', write: count },
  { name: 'Sources', metric: 'loghub_hub_sources', write: count },
  { name: 'Memory', metric: 'process_resident_memory_bytes', write: bytes },
  { name: 'Processor time', metric: 'process_cpu_seconds', write: (value) => `${value.toFixed(1)} s` },
];

export function figures(metrics: string): Figure[] {
  return KINDS.flatMap(({ name, metric: key, write, loss }) => {
    const value = metric(metrics, key);
    return value === undefined ? [] : [{ name, text: write(value), bad: loss === true && value > 0 }];
  });
}

/** Events per second between two readings; undefined if the hub began anew between them. */
export function rate(before: string, now: string, seconds: number): number | undefined {
  const [a, b] = [before, now].map((text) => metric(text, 'loghub_hub_events_accepted'));
  return a === undefined || b === undefined || b < a || seconds <= 0 ? undefined : (b - a) / seconds;
}

/** `214/s`, `1.5/s`, `0.02/s`: as fine as it matters. */
export function perSecond(value: number): string {
  return value >= 10 ? `${count(Math.round(value))}/s` : `${value.toFixed(value >= 1 ? 1 : 2)}/s`;
}

/** `1.2 GB`, in powers of ten as disks are sold. */
export function bytes(number: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  const power = Math.min(number < 1 ? 0 : Math.floor(Math.log10(number) / 3), units.length - 1);
  const value = number / 1000 ** power;
  return `${power === 0 ? value : value.toFixed(1)} ${units[power] ?? ''}`;
}
