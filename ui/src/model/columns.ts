/** The columns of the list: which, in which order, how wide. Pure. */

export const USUAL: readonly string[] = ['time', 'level', 'service', 'logger', 'message'];

/** In pixels; the message takes what is left. */
const WIDTHS: Readonly<Record<string, number>> = { time: 104, level: 46, service: 92, logger: 138 };
const OTHER = 120;
const LEAST = 36;
const LEAST_MESSAGE = 240;
const GAP = 10;
const EDGE = 4;
/** Below these widths of the list, in pixels, the usual columns become fewer and narrower. */
const NARROW = 760;
const NARROWEST = 520;

export type Widths = Readonly<Record<string, number>>;

export interface Columns {
  readonly names: readonly string[];
  /** For `grid-template-columns`. */
  readonly template: string;
  /** Pixels that all of them need. */
  readonly least: number;
}

/** What is shown in a list of this width. Columns that were picked are shown in any. */
export function columnsFor(picked: readonly string[], widths: Widths, width: number): Columns {
  const names = picked.length > 0 ? picked : usualFor(width);
  const narrow: Widths = width < NARROWEST && picked.length === 0 ? { time: 62, level: 36 } : {};
  const sizes = names.map((name) => widths[name] ?? narrow[name] ?? WIDTHS[name] ?? OTHER);
  const flexible = names.includes('message') ? names.indexOf('message') : names.length - 1;
  const tracks = sizes.map((size, index) => (index === flexible ? 'minmax(0, 1fr)' : `${size}px`));
  const least = sizes.reduce((sum, size, index) => sum + GAP + (index === flexible ? LEAST_MESSAGE : size), EDGE);
  return { names, template: [`${EDGE}px`, ...tracks].join(' '), least };
}

/** Put a column before another one; to the end where there is none. */
export function moved(names: readonly string[], name: string, before: string | undefined): string[] {
  const others = names.filter((one) => one !== name);
  const at = before === undefined ? -1 : others.indexOf(before);
  return at < 0 ? [...others, name] : [...others.slice(0, at), name, ...others.slice(at)];
}

/** One step to the left or the right. */
export function shifted(names: readonly string[], name: string, by: -1 | 1): string[] {
  const at = names.indexOf(name);
  const before = names[by < 0 ? at - 1 : at + 2];
  return at < 0 || (by < 0 && at === 0) ? [...names] : moved(names, name, before);
}

/** Show it, behind the others but before the message; or no more. One column stays. */
export function toggled(names: readonly string[], name: string): string[] {
  if (names.includes(name)) {
    return names.length > 1 ? names.filter((one) => one !== name) : [...names];
  }

  return moved(names, name, 'message');
}

/** The usual ones need no word in the address. */
export function asPicked(names: readonly string[]): readonly string[] {
  return names.join() === USUAL.join() ? [] : names;
}

export function resized(widths: Widths, name: string, width: number): Widths {
  return { ...widths, [name]: Math.round(Math.max(LEAST, width)) };
}

export function widthOf(widths: Widths, name: string): number {
  return widths[name] ?? WIDTHS[name] ?? OTHER;
}

function usualFor(width: number): readonly string[] {
  return width < NARROW ? USUAL.filter((name) => name !== 'service' && name !== 'logger') : USUAL;
}
