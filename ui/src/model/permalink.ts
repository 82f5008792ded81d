/**
 * What the page shows, as the fragment of its address: `#/patterns?q=level>=error&range=1h`.
 *
 * The screen stands first, then what is asked, the same on every screen. What is as usual is left out.
 */

import { DEFAULT_RANGE, isRelativeKey, type Range } from './range';

export const SCREENS = ['logs', 'patterns', 'errors', 'request', 'sources', 'overview', 'settings'] as const;
export type Screen = (typeof SCREENS)[number];

/** What is asked of the hub. */
export interface Place {
  readonly query: string;
  readonly range: Range;
  readonly live: boolean;
}

/** Where the reader is. */
export interface Spot {
  readonly screen: Screen;
  /** The request or trace that the Request screen shows. */
  readonly subject: string;
  /** The event that is chosen in the list. */
  readonly event: string;
  /** Names of the list's columns; empty for the usual ones. */
  readonly columns: readonly string[];
}

export type Address = Place & Spot;

export const HOME: Spot = { screen: 'logs', subject: '', event: '', columns: [] };

export function readAddress(fragment: string): Address {
  const [path = '', ...rest] = fragment.replace(/^#\/?/, '').split('?');
  const values = new URLSearchParams(rest.join('?'));
  const range = readRange(values);
  return {
    screen: SCREENS.find((one) => one === path) ?? 'logs',
    query: values.get('q') ?? '',
    range,
    // A range that has an end has nothing to wait for.
    live: range.kind === 'last' && values.get('live') !== '0',
    subject: values.get('id') ?? '',
    event: values.get('event') ?? '',
    columns: (values.get('columns') ?? '').split(',').filter((name) => name !== ''),
  };
}

export function printAddress(address: Address): string {
  const values = new URLSearchParams(shown(address));
  const text = values.toString();
  return address.screen === 'logs' && text === '' ? '' : `#/${address.screen}${text === '' ? '' : `?${text}`}`;
}

/** Two addresses that differ only here are one step of the history. */
export function sameStep(a: Address, b: Address): boolean {
  const plain = (address: Address): string => printAddress({ ...address, event: '', columns: [] });
  return plain(a) === plain(b);
}

function shown({ query, range, live, subject, event, columns }: Address): [string, string][] {
  const between = range.kind === 'between';
  const values: [string, string][] = [
    ['q', query],
    ['from', between ? range.from : ''],
    ['to', between ? range.to : ''],
    ['range', between || range.key === '15m' ? '' : range.key],
    ['live', between || live ? '' : '0'],
    ['id', subject],
    ['event', event],
    ['columns', columns.join(',')],
  ];
  return values.filter(([, value]) => value !== '');
}

function readRange(values: URLSearchParams): Range {
  const from = values.get('from');
  const to = values.get('to');

  if (isTime(from) && isTime(to)) {
    return { kind: 'between', from, to };
  }

  const key = values.get('range') ?? '';
  return isRelativeKey(key) ? { kind: 'last', key } : DEFAULT_RANGE;
}

function isTime(text: string | null): text is string {
  return text !== null && !Number.isNaN(Date.parse(text));
}
