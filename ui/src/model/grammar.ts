/**
 * The query language's grammar, for colour: which piece is what, and where it stops to be a query.
 *
 * It reads as the hub's parser does (`loghub/query/parse.py`, whose rules it keeps in the same order), up to the values:
 * what a level, a number, a time or a regular expression is, the hub knows alone. Both read `tests/query/vectors.json`.
 */

export type Piece = 'space' | 'field' | 'operator' | 'value' | 'text' | 'regex' | 'keyword' | 'group' | 'stage';

export interface Reading {
  readonly pieces: readonly { readonly kind: Piece; readonly text: string }[];
  /** Where it is no query any more; -1 if it is one. */
  readonly wrongAt: number;
}

const MAX_DEPTH = 50;
const SPACE = /\s+/y;
const KEYWORD = /(?:AND|OR|NOT)(?=[\s()]|$)/y;
const NAME = /[\p{L}\p{N}_.@/-]+/uy;
const OPERATOR = /!=|<=|>=|[:=<>]/y;
const BARE = /[^\s()"|*]+/y;
const REGEX = /\/(?:[^/\\]|\\.)+\//sy;
const QUOTED = /"(?:[^"\\]|\\(?:["\\/nrt]|u(?![dD][89a-fA-F])[0-9a-fA-F]{4}))*"/sy;
const QUOTED_START = /"(?:[^"\\]|\\(?:["\\/nrt]|u(?![dD][89a-fA-F])[0-9a-fA-F]{4}))*/sy;

class Wrong extends Error {}

/** Read a query; what follows where it is wrong is one piece. */
export function read(text: string): Reading {
  const reader = new Reader(text);

  try {
    reader.whole();
    return { pieces: reader.pieces, wrongAt: -1 };
  } catch (error) {
    if (!(error instanceof Wrong)) {
      throw error;
    }

    const wrongAt = reader.at;
    return { pieces: reader.pieces, wrongAt };
  }
}

class Reader {
  readonly pieces: { kind: Piece; text: string }[] = [];
  at = 0;
  #depth = 0;
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  whole(): void {
    this.#space();

    if (this.at < this.#text.length && this.#next !== '|') {
      this.#query(() => this.#term());
    }

    if (this.#next === '|') {
      this.#take('group', this.at + 1);
      this.#take('stage', this.#text.length);
    } else if (this.at < this.#text.length) {
      throw new Wrong();
    }
  }

  get #next(): string {
    return this.#text.charAt(this.at);
  }

  #query(term: () => void): void {
    do {
      this.#all(term);
    } while (this.#keyword('OR'));
  }

  #all(term: () => void): void {
    do {
      this.#one(term);
    } while (this.#keyword('AND') || (!['', ')', '|'].includes(this.#next) && this.#match(KEYWORD) !== 'OR'));
  }

  #one(term: () => void): void {
    while (this.#keyword('NOT') || this.#minus());

    if (this.#next === '(') {
      this.#parenthesis(term);
    } else if (this.#match(KEYWORD) !== '' || ['', ')'].includes(this.#next)) {
      throw new Wrong();
    } else {
      term();
    }

    this.#space();
  }

  #parenthesis(term: () => void): void {
    if (this.#depth === MAX_DEPTH) {
      throw new Wrong();
    }

    this.#depth++;
    this.#take('group', this.at + 1);
    this.#space();
    this.#query(term);

    if (this.#next !== ')') {
      throw new Wrong();
    }

    this.#take('group', this.at + 1);
    this.#depth--;
  }

  #term(): void {
    const name = this.#match(this.#next === '"' ? QUOTED : NAME);
    const operator = name === '' ? '' : this.#match(OPERATOR, this.at + name.length);

    if (operator === '') {
      this.#pieces();
      return;
    }

    this.#take('field', this.at + name.length);
    this.#take('operator', this.at + operator.length);

    if (/[<>]/.test(operator)) {
      this.#pieces();
    } else if (this.#next === '(') {
      this.#parenthesis(() => this.#value());
    } else {
      this.#value();
    }
  }

  #value(): void {
    if (this.#next !== '/') {
      this.#pieces();
      return;
    }

    const regex = this.#match(REGEX);

    if (regex === '') {
      throw new Wrong();
    }

    this.#take('regex', this.at + regex.length);

    if (!/^[\s()|]?$/.test(this.#next)) {
      throw new Wrong();
    }
  }

  /** A run of bare text, quoted text and wildcards without space between them. */
  #pieces(): void {
    const start = this.at;

    for (;;) {
      const bare = this.#match(BARE);

      if (this.#next === '"') {
        this.#quoted();
      } else if (this.#next === '*') {
        this.#take('operator', this.at + 1);
      } else if (bare !== '') {
        this.#take('value', this.at + bare.length);
      } else if (this.at === start) {
        throw new Wrong();
      } else {
        return;
      }
    }
  }

  #quoted(): void {
    const whole = this.#match(QUOTED);

    if (whole === '') {
      this.#take('text', this.at + this.#match(QUOTED_START).length);
      throw new Wrong();
    }

    this.#take('text', this.at + whole.length);
  }

  #keyword(word: string): boolean {
    if (this.#match(KEYWORD) !== word) {
      return false;
    }

    this.#take('keyword', this.at + word.length);
    this.#space();
    return true;
  }

  #minus(): boolean {
    if (this.#next !== '-') {
      return false;
    }

    this.#take('operator', this.at + 1);

    if (/^\s?$/.test(this.#next)) {
      throw new Wrong();
    }

    return true;
  }

  #space(): void {
    this.#take('space', this.at + this.#match(SPACE).length);
  }

  #match(pattern: RegExp, at = this.at): string {
    pattern.lastIndex = at;
    return pattern.exec(this.#text)?.[0] ?? '';
  }

  #take(kind: Piece, end: number): void {
    if (end > this.at) {
      this.pieces.push({ kind, text: this.#text.slice(this.at, end) });
      this.at = end;
    }
  }
}
