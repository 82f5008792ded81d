/** Levels: how they are named in a row, and which of the five colours they have. */

export const LEVELS = ['debug', 'info', 'warning', 'error', 'critical'] as const;
export type Level = (typeof LEVELS)[number];

const SHORT: Record<string, string> = { WARNING: 'WARN', ERROR: 'ERR', CRITICAL: 'CRIT' };

const ALIASES: Record<string, Level> = {
  TRACE: 'debug',
  DEBUG: 'debug',
  INFO: 'info',
  NOTICE: 'info',
  WARN: 'warning',
  WARNING: 'warning',
  ERR: 'error',
  ERROR: 'error',
  CRIT: 'critical',
  CRITICAL: 'critical',
  FATAL: 'critical',
  ALERT: 'critical',
  EMERG: 'critical',
};

/** The colour of a level: by its number if it has one of its own, else by its name. */
export function levelOf(name: string, number?: number): Level {
  const named = ALIASES[name.toUpperCase()];

  if (named !== undefined || number === undefined) {
    return named ?? 'info';
  }

  const step = Math.min(Math.max(Math.floor(number / 10), 1), LEVELS.length);
  return LEVELS[step - 1] ?? 'info';
}

/** A level without a name is its number: logging calls it `Level 35`. */
export function shortLevel(name: string): string {
  return SHORT[name] ?? /^Level (\d+)$/.exec(name)?.[1] ?? name.slice(0, 5);
}
