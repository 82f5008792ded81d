/** Log text is hostile: terminal codes, control characters, a megabyte on one line. What comes out here is safe to show. */

export interface Piece {
  readonly text: string;
  readonly marked: boolean;
}

/** A row shows the beginning; the whole is in the open row. */
const ROW_CHARACTERS = 600;

/* eslint-disable no-control-regex -- control characters are what this is about */
/** Escape sequences of terminals: CSI (colours, cursor), OSC (titles, links) to its end, and the two-byte ones. */
const ANSI = /\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])|\x9b[0-?]*[ -/]*[@-~]/g;
/**
 * Control characters but tab and newline, those that turn the direction of text around, and those that take no room, so
 * that two names look like one. The joiners U+200C and U+200D stay: scripts and emoji are written with them.
 */
const CONTROL =
  /[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\u{e0000}-\u{e007f}]/gu;
/* eslint-enable no-control-regex */

/** Take away terminal codes; show what else is invisible as a sign. */
export function clean(text: string): string {
  return text.replace(ANSI, '').replace(/\r\n/g, '\n').replace(CONTROL, sign);
}

/** The beginning of a text, on one line. */
export function oneLine(text: string): string {
  const start = clean(text.length > 4 * ROW_CHARACTERS ? text.slice(0, 4 * ROW_CHARACTERS) : text);
  return start
    .slice(0, ROW_CHARACTERS)
    .trimEnd()
    .replace(/\s*\n\s*/g, ' ⏎ ')
    .replace(/\t/g, ' ');
}

/** Cut a text where one of the needles is, in any case. */
export function marked(text: string, needles: readonly string[]): Piece[] {
  const wanted = needles
    .filter((needle) => needle !== '')
    .map((needle) => needle.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));

  if (wanted.length === 0 || text === '') {
    return [{ text, marked: false }];
  }

  const parts = text.split(new RegExp(`(${wanted.join('|')})`, 'giu'));
  return parts.map((part, index) => ({ text: part, marked: index % 2 === 1 })).filter((piece) => piece.text !== '');
}

/** Numbers with a narrow space between thousands. */
export function count(number: number): string {
  return String(number).replace(/\B(?=(\d{3})+$)/g, '\u202f');
}

export function plural(number: number, one: string, many = `${one}s`): string {
  return `${count(number)} ${number === 1 ? one : many}`;
}

function sign(character: string): string {
  const code = character.charCodeAt(0);
  return code < 0x20 ? String.fromCharCode(0x2400 + code) : '\ufffd';
}
