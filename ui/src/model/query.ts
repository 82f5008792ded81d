/**
 * A query as text: its pieces in colour, terms added to it, what of it to mark in messages.
 *
 * The hub parses queries and says what is wrong with them. This reads just enough to extend one while it is being typed.
 */

import { read, type Piece } from './grammar';

export type TokenKind = Piece;

export interface Token {
  readonly kind: TokenKind;
  readonly text: string;
}

export interface PaintedToken extends Token {
  readonly wrong: boolean;
}

/** One after the other, the first that matches wins. All are anchored to where the last one ended. */
const PATTERNS: readonly (readonly [TokenKind, RegExp])[] = [
  ['space', /\s+/y],
  ['group', /[()|]/y],
  ['keyword', /(?:AND|OR|NOT)(?=[\s()]|$)/y],
  ['operator', /-(?=\S)/y],
  ['field', /(?:"(?:[^"\\]|\\.)*"|[\p{L}\p{N}_@][\p{L}\p{N}_.@/-]*)(?=:|[<>]=?)/uy],
  ['operator', /:|[<>]=?/y],
  ['text', /"(?:[^"\\]|\\.)*"?/y],
  ['regex', /\/(?:[^/\\]|\\.)*\/?/y],
  ['value', /[^\s()|"]+/y],
];

const PLAIN_NAME = /^[\p{L}\p{N}_.@/][\p{L}\p{N}_.@/-]*$/u;
const PLAIN_VALUE = /^[\p{L}\p{N}_.@:,+-][\p{L}\p{N}_.@/:,+-]*$/u;
const ALIASES = new Set(['ts', 'host']);
const ESCAPES: Record<string, string> = { '"': '\\"', '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/** Cut a query into pieces; together they are the query again. */
export function tokens(query: string): Token[] {
  const found: Token[] = [];
  let at = 0;

  while (at < query.length) {
    const token = tokenAt(query, at);
    found.push(token);
    at += token.text.length;
  }

  return found;
}

/** The pieces, with the character at `wrong` on its own; where that is the end, a place for what is missing. */
export function paint(query: string, wrong: number): PaintedToken[] {
  let start = 0;
  const painted = coloured(query).flatMap(({ kind, text }) => {
    const at = wrong - start;
    start += text.length;
    return at >= 0 && at < text.length ? cutAt(kind, text, at) : [{ kind, text, wrong: false }];
  });
  return wrong >= query.length ? [...painted, { kind: 'space', text: ' ', wrong: true }] : painted;
}

/** As the grammar reads it; behind the place where that ends, as far as single pieces can be told. */
function coloured(query: string): readonly Token[] {
  const { pieces, wrongAt } = read(query);
  return wrongAt < 0 ? pieces : [...pieces, ...tokens(query.slice(wrongAt))];
}

/** Write `field:value` as the hub will read it, in quotes where it has to be. */
export function term(field: string, value: string): string {
  return `${fieldText(field)}:${valueText(value)}`;
}

export function fieldText(field: string): string {
  return quoted(field, PLAIN_NAME.test(field) && !ALIASES.has(field));
}

export function valueText(value: string): string {
  return quoted(value, PLAIN_VALUE.test(value));
}

/** Ask for a term (or against it) on top of a query; a term that contradicts it goes. */
export function withTerm(query: string, wanted: string, negative: boolean): string {
  const added = negative ? `-${wanted}` : wanted;
  const parts = topLevel(query).filter((part) => part !== wanted && part !== `-${wanted}`);
  const rest = parts.join(' ').trim();

  if (rest === '') {
    return added;
  }

  // AND binds tighter than OR: without parentheses the term would join the last alternative only.
  return parts.includes('OR') ? `(${rest}) ${added}` : `${rest} ${added}`;
}

/** What the query looks for in the message, to be marked there: free words and phrases, and what `message:` is to have. */
export function needles(query: string): string[] {
  const found: string[] = [];
  /** For each open group: whether what stands in it is looked for in the message. */
  const groups: boolean[] = [];
  let looked = true;
  let before = '';

  for (const { kind, text } of tokens(query)) {
    switch (kind) {
      case 'space':
        continue;
      case 'keyword':
        looked &&= text !== 'NOT';
        break;
      case 'operator':
        looked &&= text === ':' && before === 'message';
        break;
      case 'group':
        // Stages come after the filter.
        if (text === '|') {
          return found;
        }

        looked = text === '(' ? looked : outside(groups);

        if (text === '(') {
          groups.push(looked);
        }

        break;
      case 'text':
      case 'value':
      case 'regex':
        if (looked && kind !== 'regex' && (kind === 'text' || !text.includes('*'))) {
          found.push(unquoted(text));
        }

        looked = groups.at(-1) ?? true;
    }

    before = text;
  }

  return found;
}

/** The place of a character, counted as the hub does (code points), in this string's own units. */
export function offsetOfCharacter(text: string, position: number): number {
  return Array.from(text).slice(0, position).join('').length;
}

function cutAt(kind: TokenKind, text: string, at: number): PaintedToken[] {
  const end = at + String.fromCodePoint(text.codePointAt(at) ?? 32).length;
  return [
    { kind, text: text.slice(0, at), wrong: false },
    { kind, text: text.slice(at, end), wrong: true },
    { kind, text: text.slice(end), wrong: false },
  ];
}

function tokenAt(query: string, at: number): Token {
  for (const [kind, pattern] of PATTERNS) {
    pattern.lastIndex = at;
    const text = pattern.exec(query)?.[0];

    if (text !== undefined && text !== '') {
      return { kind, text };
    }
  }

  return { kind: 'value', text: query.charAt(at) };
}

/** Leave a group: what holds behind it. */
function outside(groups: boolean[]): boolean {
  groups.pop();
  return groups.at(-1) ?? true;
}

/** The parts of a query that are joined at its top: terms, keywords and whole groups. */
function topLevel(query: string): string[] {
  const parts: string[] = [];
  let part = '';
  let depth = 0;

  for (const { kind, text } of tokens(query)) {
    depth += text === '(' ? 1 : text === ')' ? -1 : 0;

    if (kind === 'space' && depth === 0) {
      parts.push(part);
      part = '';
    } else {
      part += text;
    }
  }

  return [...parts, part].filter((one) => one !== '');
}

function quoted(text: string, plain: boolean): string {
  return plain ? text : `"${text.replace(/["\\\n\r\t]/g, (character) => ESCAPES[character] ?? character)}"`;
}

export function unquoted(text: string): string {
  return text.startsWith('"') ? text.replace(/^"|"$/g, '').replace(/\\(.)/g, '$1') : text;
}
