/** Answers that say something of many events, read into types. What is missing becomes its neutral value, or null where nobody has told. */

import { readEvent, type LogEvent } from './event';
import { asNumber, asText, isList, isObject, plain, type Json, type JsonObject } from './json';

export interface Facet {
  readonly field: string;
  readonly distinct: number;
  readonly values: readonly { readonly value: string; readonly count: number }[];
}

export interface FieldName {
  readonly name: string;
  readonly type: string;
  readonly count: number;
}

interface Seen {
  readonly count: number;
  readonly first: string;
  readonly last: string;
  readonly spark: readonly number[];
}

export interface Pattern extends Seen {
  readonly template: string;
  /** Of all that matches, 0 to 1. */
  readonly share: number;
}

export interface Fault extends Seen {
  readonly fingerprint: string;
  readonly type: string;
  readonly message: string;
  readonly where: string;
  readonly services: readonly string[];
}

export interface Groups<T> {
  readonly groups: readonly T[];
  readonly cursor: string | null;
}

export interface Source {
  readonly source: string;
  readonly service: string;
  readonly hostname: string;
  readonly process: string;
  readonly figures: Readonly<Record<Figure, number | null>>;
  readonly gaps: readonly { readonly from: string; readonly to: string; readonly count: number }[];
  readonly lastSeen: string;
  readonly skewMs: number | null;
}

export const FIGURES = ['sent', 'acked', 'queued', 'retried', 'dead', 'dropped'] as const;
export type Figure = (typeof FIGURES)[number];

export interface Context {
  readonly before: readonly LogEvent[];
  readonly event: LogEvent | undefined;
  readonly after: readonly LogEvent[];
}

export function readFacets(json: Json): Facet[] {
  return objects(json, 'facets').map((facet) => ({
    field: text(facet['field']),
    distinct: asNumber(facet['distinct']) ?? 0,
    values: objects(facet, 'values').map((one) => ({ value: text(one['value']), count: asNumber(one['count']) ?? 0 })),
  }));
}

export function readFields(json: Json): FieldName[] {
  return objects(json, 'fields').map((field) => ({
    name: text(field['name']),
    type: text(field['type']),
    count: asNumber(field['count']) ?? 0,
  }));
}

export function readPatterns(json: Json): Groups<Pattern> {
  const groups = objects(json, 'patterns').map((group) => ({
    ...seen(group),
    template: text(group['template']),
    share: asNumber(group['share']) ?? 0,
  }));
  return { groups, cursor: cursorOf(json) };
}

export function readFaults(json: Json): Groups<Fault> {
  const groups = objects(json, 'errors').map((group) => ({
    ...seen(group),
    fingerprint: text(group['fingerprint']),
    type: text(group['type']),
    message: text(group['message']),
    where: text(group['where']),
    services: list(group['services']).map(text),
  }));
  return { groups, cursor: cursorOf(json) };
}

export function readSources(json: Json): Source[] {
  return objects(json, 'sources').map((source) => ({
    source: text(source['source']),
    service: text(source['service']),
    hostname: text(source['hostname']),
    process: text(source['process']),
    figures: readFigures(source),
    gaps: objects(source, 'gaps').map((gap) => ({
      from: text(gap['from']),
      to: text(gap['to']),
      count: asNumber(gap['count']) ?? 0,
    })),
    lastSeen: text(source['last_seen']),
    skewMs: asNumber(source['skew_ms']) ?? null,
  }));
}

export function readContext(json: Json): Context {
  const context = isObject(json) ? json : {};
  return {
    before: readEvents(context['before']),
    event: readEvent(context['event'] ?? null),
    after: readEvents(context['after']),
  };
}

function readFigures(source: JsonObject): Record<Figure, number | null> {
  const figure = (name: Figure): number | null => asNumber(source[name]) ?? null;
  return {
    sent: figure('sent'),
    acked: figure('acked'),
    queued: figure('queued'),
    retried: figure('retried'),
    dead: figure('dead'),
    dropped: figure('dropped'),
  };
}

function seen(group: JsonObject): Seen {
  return {
    count: asNumber(group['count']) ?? 0,
    first: text(group['first']),
    last: text(group['last']),
    spark: list(group['spark']).map((one) => asNumber(one) ?? 0),
  };
}

function readEvents(json: Json | undefined): LogEvent[] {
  return list(json)
    .map(readEvent)
    .filter((event) => event !== undefined);
}

function cursorOf(json: Json): string | null {
  return isObject(json) ? (asText(json['cursor']) ?? null) : null;
}

function objects(json: Json, key: string): JsonObject[] {
  return isObject(json) ? list(json[key]).filter(isObject) : [];
}

function list(json: Json | undefined): readonly Json[] {
  return isList(json) ? json : [];
}

function text(json: Json | undefined): string {
  return json === undefined || json === null ? '' : plain(json);
}
