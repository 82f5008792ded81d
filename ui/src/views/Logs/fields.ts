/** The fields of an event in the order in which they are read: what the application said, then where it said it. */

import type { LogEvent } from '../../model/event';
import { isObject, plain, Verbatim, type Json } from '../../model/json';

export interface Field {
  readonly name: string;
  readonly value: string;
  readonly numeric: boolean;
  /** A query can ask for it. */
  readonly asked: boolean;
}

/** Shown elsewhere in the open row, or in the row itself. */
const ELSEWHERE = new Set(['timestamp', 'message', 'exception', 'exc_info', 'stack_info', '_cursor']);
const FIRST = ['request_id', 'trace_id', 'span_id', 'component'];
const LAST =
  'level levelno service logger template hostname process thread task module function file line encode_fallback truncated format_error args _id _received'.split(
    ' ',
  );
const MAX_DEPTH = 4;

export function fieldsOf(event: LogEvent): Field[] {
  const names = Object.keys(event.fields).filter((name) => !ELSEWHERE.has(name));
  return names.sort((a, b) => rank(a) - rank(b)).flatMap((name) => flatten(name, event.fields[name] ?? null, 0));
}

function rank(name: string): number {
  const first = FIRST.indexOf(name);
  return first >= 0 ? first - FIRST.length : LAST.indexOf(name) + 1;
}

/** Nested objects become names with dots, as queries name them. */
function flatten(name: string, value: Json, depth: number): Field[] {
  if (isObject(value) && Object.keys(value).length > 0 && depth < MAX_DEPTH) {
    return Object.entries(value).flatMap(([key, inner]) => flatten(`${name}.${key}`, inner, depth + 1));
  }

  const numeric = typeof value === 'number' || value instanceof Verbatim;
  const asked = !name.startsWith('_') && (typeof value !== 'object' || numeric);
  return [{ name, value: plain(value), numeric, asked }];
}
