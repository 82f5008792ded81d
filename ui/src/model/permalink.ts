/** What the page shows, as the fragment of its address: `#q=level>=error&range=1h&live=0`. */

import { DEFAULT_RANGE, isRelativeKey, type Range } from './range';

export interface Place {
  readonly query: string;
  readonly range: Range;
  readonly live: boolean;
}

export function readPlace(fragment: string): Place {
  const values = new URLSearchParams(fragment.replace(/^#/, ''));
  const range = readRange(values);
  return {
    query: values.get('q') ?? '',
    range,
    // A range that has an end has nothing to wait for.
    live: range.kind === 'last' && values.get('live') !== '0',
  };
}

/** What is as usual is left out. */
export function printPlace(place: Place): string {
  const values = new URLSearchParams();

  if (place.query !== '') {
    values.set('q', place.query);
  }

  if (place.range.kind === 'between') {
    values.set('from', place.range.from);
    values.set('to', place.range.to);
  } else if (place.range.key !== '15m') {
    values.set('range', place.range.key);
  }

  if (!place.live && place.range.kind === 'last') {
    values.set('live', '0');
  }

  const text = values.toString();
  return text === '' ? '' : `#${text}`;
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
