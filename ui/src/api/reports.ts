/** What the hub says of many events at once, and of itself. */

import {
  readContext,
  readFacets,
  readFaults,
  readFields,
  readPatterns,
  readSources,
  type Context,
  type Facet,
  type Fault,
  type FieldName,
  type Groups,
  type Pattern,
  type Source,
} from '../model/reports';
import { readStats, type Stats } from '../model/stats';
import { getJson, type Filter } from './hub';

/** What the screens need of a hub; tests bring their own. */
export interface Reports {
  facets(filter: Filter, fields: readonly string[], limit: number, signal?: AbortSignal): Promise<readonly Facet[]>;
  fields(filter: Filter, limit: number, signal?: AbortSignal): Promise<readonly FieldName[]>;
  patterns(filter: Filter, cursor: string | null, signal?: AbortSignal): Promise<Groups<Pattern>>;
  faults(filter: Filter, cursor: string | null, signal?: AbortSignal): Promise<Groups<Fault>>;
  sources(signal?: AbortSignal): Promise<readonly Source[]>;
  context(event: string, lane: string, signal?: AbortSignal): Promise<Context>;
  stats(signal?: AbortSignal): Promise<Stats>;
}

/** Events to show on each side of one. */
const AROUND = '50';
const GROUPS = '100';

export const reports: Reports = {
  async facets(filter, fields, limit, signal) {
    const values = { ...filter, fields: fields.join(','), limit: String(limit) };
    return readFacets(await getJson('api/v1/facets', values, signal));
  },

  async fields(filter, limit, signal) {
    return readFields(await getJson('api/v1/fields', { ...filter, limit: String(limit) }, signal));
  },

  async patterns(filter, cursor, signal) {
    return readPatterns(await getJson('api/v1/patterns', page(filter, cursor), signal));
  },

  async faults(filter, cursor, signal) {
    return readFaults(await getJson('api/v1/errors', page(filter, cursor), signal));
  },

  async sources(signal) {
    return readSources(await getJson('api/v1/sources', {}, signal));
  },

  async context(event, lane, signal) {
    const path = `api/v1/events/${encodeURIComponent(event)}/context`;
    return readContext(await getJson(path, { lane, before: AROUND, after: AROUND }, signal));
  },

  async stats(signal) {
    return readStats(await getJson('api/v1/stats', {}, signal));
  },
};

function page(filter: Filter, cursor: string | null): Record<string, string> {
  return { ...filter, limit: GROUPS, ...(cursor === null ? {} : { cursor }) };
}
