/** What the hub tells of itself. A bound that there is not is null, and so is what its platform does not tell. */

import { asNumber, asText, isList, isObject, type Json, type JsonObject } from './json';

export interface Rule {
  readonly query: string;
  readonly ageMs: number;
}

export interface Disk {
  readonly used: number;
  readonly free: number;
  readonly size: number;
}

export interface Retention {
  readonly ageMs: number | null;
  readonly bytes: number | null;
  /** Old events go while less than this is free on the disk. */
  readonly freeBytes: number | null;
  readonly events: number | null;
  readonly rules: readonly Rule[];
}

export interface Stats {
  readonly uptimeMs: number;
  readonly events: number;
  readonly oldest: string | null;
  /** Events per second that are stored. */
  readonly rate: number;
  readonly accepted: number;
  readonly duplicate: number;
  readonly quarantined: number;
  /** None where events are kept in memory alone. */
  readonly disk: Disk | null;
  readonly retention: Retention;
  readonly memory: number | null;
  readonly subscribers: number;
  readonly droppedBySenders: number;
  readonly lost: number;
  readonly skippedByTails: number;
  /** Names of files that cannot be read. */
  readonly damaged: readonly string[];
}

export function readStats(json: Json): Stats {
  const stats = object(json);
  const received = object(stats['received']);
  const drops = object(stats['drops']);
  return {
    uptimeMs: 1000 * number(stats['uptime_s']),
    events: number(stats['events']),
    oldest: asText(stats['oldest']) ?? null,
    rate: number(stats['ingest_rate']),
    accepted: number(received['accepted']),
    duplicate: number(received['duplicate']),
    quarantined: number(received['quarantined']),
    disk: readDisk(stats['disk']),
    retention: readRetention(object(stats['retention'])),
    memory: asNumber(stats['rss']) ?? null,
    subscribers: number(stats['subscribers']),
    droppedBySenders: number(drops['senders']),
    lost: number(drops['lost']),
    skippedByTails: number(drops['tails']),
    damaged: list(stats['damaged']).flatMap((one) => asText(one) ?? []),
  };
}

function readDisk(json: Json | undefined): Disk | null {
  return isObject(json) ? { used: number(json['used']), free: number(json['free']), size: number(json['size']) } : null;
}

function readRetention(kept: JsonObject): Retention {
  return {
    ageMs: milliseconds(kept['age_s']),
    bytes: asNumber(kept['bytes']) ?? null,
    freeBytes: asNumber(kept['free_bytes']) ?? null,
    events: asNumber(kept['events']) ?? null,
    rules: list(kept['rules'])
      .map(object)
      .map((rule) => ({ query: asText(rule['query']) ?? '', ageMs: milliseconds(rule['age_s']) ?? 0 })),
  };
}

function milliseconds(json: Json | undefined): number | null {
  const seconds = asNumber(json);
  return seconds === undefined ? null : 1000 * seconds;
}

function object(json: Json | undefined): JsonObject {
  return isObject(json) ? json : {};
}

function list(json: Json | undefined): readonly Json[] {
  return isList(json) ? json : [];
}

function number(json: Json | undefined): number {
  return asNumber(json) ?? 0;
}
