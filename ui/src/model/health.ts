/** How the hub is, in words: its figures in groups, and how long it keeps events. */

import type { Retention, Stats } from './stats';
import { count } from './text';
import { duration, moment, type Zone } from './time';

export interface Figure {
  readonly name: string;
  readonly text: string;
  /** What to think of it. */
  readonly meaning: string;
  readonly bad: boolean;
}

export interface FigureGroup {
  readonly name: string;
  readonly figures: readonly Figure[];
}

/** A disk that has less free than this is soon full. */
const FREE_SHARE = 0.05;

/** Give the figures; what this server does not have is left out. */
export function health(stats: Stats, takesEvents: boolean, zone: Zone): FigureGroup[] {
  const groups = [
    { name: takesEvents ? 'This hub' : 'This process', figures: work(stats) },
    { name: 'Kept', figures: kept(stats, zone) },
    { name: 'Lost and dropped', figures: takesEvents ? losses(stats) : tails(stats) },
  ];
  return groups.filter((group) => group.figures.length > 0);
}

/** `14 d or 5 GB, whichever is less`: what an event has to expect. */
export function keeps(retention: Retention): string {
  const found = bounds(retention);
  const free =
    retention.freeBytes === null ? '' : `, and as long as ${bytes(retention.freeBytes)} of the disk are free`;
  return (found.join(' or ') || 'for ever') + (found.length > 1 ? ', whichever is less' : '') + free;
}

function bounds({ ageMs, bytes: size, events }: Retention): string[] {
  return [
    ...(ageMs === null ? [] : [duration(ageMs)]),
    ...(size === null ? [] : [bytes(size)]),
    ...(events === null ? [] : [`the last ${count(events)} events`]),
  ];
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
  return `${power === 0 ? value : value.toFixed(1).replace(/\.0$/, '')} ${units[power] ?? ''}`;
}

function work(stats: Stats): Figure[] {
  return [
    plain('Ingest rate', perSecond(stats.rate), 'Events that are stored in a second, over the last minute'),
    plain('Live tails', count(stats.subscribers), 'Pages and programs that follow along now'),
    ...(stats.memory === null ? [] : [plain('Memory', bytes(stats.memory), 'Of the whole process')]),
    plain('Running for', duration(stats.uptimeMs), ''),
  ];
}

function kept({ disk, retention, ...stats }: Stats, zone: Zone): Figure[] {
  const room = retention.bytes === null ? '' : ` of ${bytes(retention.bytes)}`;
  return [
    plain('Events', count(stats.events), ''),
    ...(stats.oldest === null ? [] : [plain('Since', moment(stats.oldest, zone), 'The time of the oldest event')]),
    plain('Retention', bounds(retention).join(' or ') || 'none', 'Older events go, by whichever of them is less'),
    ...retention.rules.map((rule) => plain(`… of ${rule.query}`, duration(rule.ageMs), 'What matches is kept so long')),
    ...(disk === null
      ? []
      : [
          plain('Disk', `${bytes(disk.used)}${room}`, 'What the events take'),
          warning('Free disk', bytes(disk.free), 'On the disk of the events', disk.free < FREE_SHARE * disk.size),
        ]),
    ...stats.damaged.map((name) =>
      warning('Cannot be read', name, 'This file is damaged: its events are left out', true),
    ),
  ];
}

function losses(stats: Stats): Figure[] {
  return [
    loss('Dropped by senders', stats.droppedBySenders, 'Let go before they were sent, and counted'),
    loss('Lost on the way', stats.lost, 'Sent, and never here: Sources names the gaps'),
    loss('Lines that are no events', stats.quarantined, 'Kept aside'),
    ...tails(stats),
    plain('Sent again and trimmed', count(stats.duplicate), 'No loss: each is stored once'),
  ];
}

function tails(stats: Stats): Figure[] {
  return [plain('Skipped by tails', count(stats.skippedByTails), 'Too fast for a reader; they are in the store')];
}

function plain(name: string, text: string, meaning: string): Figure {
  return { name, text, meaning, bad: false };
}

function warning(name: string, text: string, meaning: string, bad: boolean): Figure {
  return { name, text, meaning, bad };
}

function loss(name: string, number: number, meaning: string): Figure {
  return warning(name, count(number), meaning, number > 0);
}
