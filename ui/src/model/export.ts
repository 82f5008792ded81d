/** What an export may be, and how far it is. */

import type { Server } from './server';

export const FORMATS = { ndjson: 'NDJSON', csv: 'CSV', text: 'Plain text', parquet: 'Parquet' } as const;
export type Format = keyof typeof FORMATS;

export const ARCHIVES = { none: 'as it is', gz: 'gz', zip: 'zip' } as const;
export type Archive = keyof typeof ARCHIVES;

/** What this server can write. */
export function formatsOf(server: Server): readonly Format[] {
  const all = Object.keys(FORMATS) as Format[];
  return server.writesParquet ? all : all.filter((one) => one !== 'parquet');
}

/** Parquet is compressed already. */
export function archivesOf(format: Format): readonly Archive[] {
  return format === 'parquet' ? ['none'] : ['none', 'gz', 'zip'];
}

/** The name that the hub gave the file. */
export function fileName(disposition: string | null, fallback: string): string {
  return /filename="([^"/\\]+)"/.exec(disposition ?? '')?.[1] ?? fallback;
}

/** Count the ends of lines in a piece of a file. */
export function lineEnds(bytes: Uint8Array): number {
  return bytes.reduce((sum, byte) => (byte === 10 ? sum + 1 : sum), 0);
}
