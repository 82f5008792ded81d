/** The fields of an event in the order in which they are read: what the application said, then where it said it. */

import type { LogEvent } from '../../model/event';
import { asText, isList, isObject, plain, Verbatim, type Json } from '../../model/json';

export interface Field {
  /** As queries name it. */
  readonly name: string;
  /** Its last part, for a place in a tree. */
  readonly label?: string;
  /** What is inside of it; such a field has no value of its own. */
  readonly inside?: readonly Field[];
  readonly value: string;
  readonly numeric: boolean;
  /** A query can ask for it. */
  readonly asked: boolean;
}

const words = (text: string): string[] => text.split(' ');

/** Shown in another way, in the open row or in the row itself; the JSON to copy has them all. */
const ELSEWHERE = new Set(words('timestamp message exception exc_info stack_info file line function module'));
const FIRST = words('request_id trace_id span_id component');
const LAST = words(
  'level levelno service logger template hostname process thread task encode_fallback truncated format_error args',
);
const MAX_DEPTH = 8;

export function fieldsOf(event: LogEvent): Field[] {
  const names = Object.keys(event.fields).filter((name) => !ELSEWHERE.has(name) && !name.startsWith('_'));
  const shown = names.filter((name) => name !== 'template' || event.fields[name] !== event.message);
  const fields = shown.sort((a, b) => rank(a) - rank(b)).map((name) => grow(name, name, event.fields[name] ?? null, 0));
  return [...fields, ...source(event)];
}

/** The place in the code, in one line. */
function source({ fields }: LogEvent): Field[] {
  const file = asText(fields['file']) ?? asText(fields['module']);
  const line = fields['line'] === undefined ? '' : `:${plain(fields['line'])}`;
  const inside = asText(fields['function']) === undefined ? '' : ` in ${plain(fields['function'] ?? '')}`;
  return file === undefined ? [] : [{ name: 'source', value: `${file}${line}${inside}`, numeric: false, asked: false }];
}

function rank(name: string): number {
  const first = FIRST.indexOf(name);
  return first >= 0 ? first - FIRST.length : LAST.indexOf(name) + 1;
}

/** Nested objects and lists of objects are branches; what is inside has the name that queries use. */
function grow(name: string, label: string, value: Json, depth: number): Field {
  const inside = depth < MAX_DEPTH ? branches(value) : [];

  if (inside.length > 0) {
    const fields = inside.map(([key, inner]) => grow(`${name}.${key}`, key, inner, depth + 1));
    return { name, label, value: plain(value), numeric: false, asked: false, inside: fields };
  }

  const numeric = typeof value === 'number' || value instanceof Verbatim;
  const asked = value !== null && (typeof value !== 'object' || numeric);
  return { name, label, value: plain(value), numeric, asked };
}

function branches(value: Json): [string, Json][] {
  if (isList(value)) {
    return value.some(isObject) ? value.map((one, index) => [String(index), one]) : [];
  }

  return isObject(value) ? Object.entries(value) : [];
}
