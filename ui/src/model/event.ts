/** An event as the hub's API gives it, and what a row shows of it. */

import { asNumber, asText, isObject, plain, type Json, type JsonObject } from './json';
import { levelOf, type Level } from './levels';

export interface LogEvent {
  /** `<source>-<seq>`, of fixed width, so that text order is order. */
  readonly id: string;
  /** RFC 3339 with six digits, UTC: text order is order. */
  readonly timestamp: string;
  readonly level: Level;
  readonly levelName: string;
  readonly logger: string;
  readonly service: string;
  readonly message: string;
  /** Everything, as it came. */
  readonly fields: JsonObject;
}

/** Fields of the schema, which a row does not repeat behind the message. */
const STANDARD = new Set(
  (
    'timestamp level levelno logger message template service hostname process thread task module function file line ' +
    'component request_id trace_id span_id exc_info exception stack_info encode_fallback truncated format_error args'
  ).split(' '),
);

/** Read an event; undefined if it has no id, for then it has no place in a list. */
export function readEvent(json: Json): LogEvent | undefined {
  const id = isObject(json) ? asText(json['_id']) : undefined;

  if (id === undefined || !isObject(json)) {
    return undefined;
  }

  const levelName = asText(json['level']) ?? 'INFO';
  return {
    id,
    timestamp: asText(json['timestamp']) ?? '',
    level: levelOf(levelName, asNumber(json['levelno'])),
    levelName,
    logger: asText(json['logger']) ?? '',
    service: asText(json['service']) ?? '',
    message: asText(json['message']) ?? '',
    fields: json,
  };
}

/** A field's value by its name in queries: a literal name beats what is inside of objects. */
export function valueOf(event: LogEvent, name: string): Json | undefined {
  let found: Json | undefined = event.fields;
  const whole = event.fields[name];

  if (whole !== undefined) {
    return whole;
  }

  for (const part of name.split('.')) {
    found = isObject(found) ? found[part] : undefined;
  }

  return found;
}

/** What stands for a message that is empty: its template; nothing where there are fields to read. */
export function standIn(event: LogEvent): string {
  const template = asText(event.fields['template'])?.trim() ?? '';
  return template !== '' || extras(event) !== '' ? template : '(no message)';
}

/** What the application added to this event, as `key=value`, without what has a column of its own. */
export function extras(event: LogEvent, columns: readonly string[] = []): string {
  return Object.entries(event.fields)
    .filter(([key]) => !STANDARD.has(key) && !key.startsWith('_') && !columns.includes(key))
    .map(([key, value]) => `${key}=${plain(value)}`)
    .join(' ');
}

/** Newest first; of two at the same time, the one that was emitted later. */
export function newestFirst(a: { timestamp: string; id: string }, b: { timestamp: string; id: string }): number {
  if (a.timestamp !== b.timestamp) {
    return a.timestamp < b.timestamp ? 1 : -1;
  }

  return a.id === b.id ? 0 : a.id < b.id ? 1 : -1;
}
