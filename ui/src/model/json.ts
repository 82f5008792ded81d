/**
 * JSON as the hub wrote it: numbers that a double would change keep their source text.
 *
 * `JSON.parse` hands a reviver the source of each number where the engine knows it (Chromium, Firefox, Safari 18.4);
 * elsewhere such a number is rounded, as everywhere in JavaScript.
 */

export type Json = null | boolean | number | string | Verbatim | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: Json;
}

/** A number whose text is the truth. */
export class Verbatim {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** An integer of 16 digits or more, as a value. A reviver costs a call for each value, so it is used where it matters. */
const LONG_INTEGER = /[:,[]\s*-?\d{16}/;
const INTEGER = /^-?\d+$/;

export function parseJson(text: string): Json {
  return (LONG_INTEGER.test(text) ? JSON.parse(text, keepLongIntegers) : JSON.parse(text)) as Json;
}

function keepLongIntegers(_key: string, value: unknown, context?: { source?: string }): unknown {
  const source = context?.source;
  const rounded = typeof value === 'number' && !Number.isSafeInteger(value);
  return rounded && source !== undefined && INTEGER.test(source) ? new Verbatim(source) : value;
}

/** Print JSON with two spaces of indent; the reverse of `parseJson`. Without an indent, on one line. */
export function printJson(value: Json, indent: string | null = ''): string {
  if (value instanceof Verbatim) {
    return value.text;
  }

  if (value === null || typeof value !== 'object') {
    return JSON.stringify(value);
  }

  const inner = indent === null ? null : indent + '  ';
  const start = inner ?? '';
  const list = isList(value);
  const parts = list
    ? value.map((item) => start + printJson(item, inner))
    : Object.entries(value).map(([key, item]) => `${start}${JSON.stringify(key)}: ${printJson(item, inner)}`);
  const [open, close] = list ? '[]' : '{}';

  if (parts.length === 0 || indent === null) {
    return `${open}${parts.join(', ')}${close}`;
  }

  return `${open}\n${parts.join(',\n')}\n${indent}${close}`;
}

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !isList(value) && !(value instanceof Verbatim);
}

/** `Array.isArray` makes `any[]` of a read-only list. */
export function isList(value: Json | undefined): value is readonly Json[] {
  return Array.isArray(value);
}

export function asText(value: Json | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

export function asNumber(value: Json | undefined): number | undefined {
  return value instanceof Verbatim ? Number(value.text) : typeof value === 'number' ? value : undefined;
}

/** A value on one line, as a person writes it: text without quotes, the rest as JSON. */
export function plain(value: Json): string {
  if (typeof value === 'string') {
    return value;
  }

  return value instanceof Verbatim ? value.text : printJson(value, null);
}
