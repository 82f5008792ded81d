/** What could stand where one is typing: a field's name, or one of its values. Pure: what there is comes from the hub. */

import { fieldText, tokens, unquoted, valueText } from './query';

export interface Want {
  readonly kind: 'field' | 'value';
  /** The field whose value is wanted; empty for a name. */
  readonly field: string;
  readonly typed: string;
  /** What of the query is replaced. */
  readonly from: number;
  readonly to: number;
}

export interface Choice {
  readonly text: string;
  /** How often it occurs in the result; undefined where that is not known. */
  readonly count?: number;
}

const MOST = 12;
const LEVELS = ['debug', 'info', 'warning', 'error', 'critical'];

/** Tell what is being typed at a place of the query. */
export function wantAt(query: string, caret: number): Want {
  let start = 0;
  /** The field before the last operator, and the one whose values stand in the open group. */
  let field = '';
  let inGroup = '';
  let named = '';

  for (const { kind, text } of tokens(query)) {
    const end = start + text.length;
    const here = caret > start && caret <= end;

    if (here && (kind === 'field' || kind === 'value' || kind === 'text' || kind === 'keyword')) {
      const typed = unquoted(text.slice(0, caret - start));
      return { kind: field && kind !== 'field' ? 'value' : 'field', field, typed, from: start, to: end };
    }

    if (here && kind === 'regex') {
      break;
    }

    if (kind === 'field') {
      named = unquoted(text);
    } else if (kind === 'operator') {
      field = text === '-' ? '' : named;
    } else if (text === '(') {
      inGroup = field;
    } else if (text === ')') {
      inGroup = '';
      field = '';
    } else {
      field = inGroup;
    }

    start = end;

    if (caret <= end) {
      break;
    }
  }

  return { kind: field ? 'value' : 'field', field, typed: '', from: caret, to: caret };
}

/** Those that begin with what is typed, then those that have it inside; the most frequent first. */
export function matching(choices: readonly Choice[], typed: string): Choice[] {
  const wanted = typed.toLowerCase();
  const ranked = choices
    .map((choice) => ({ choice, at: choice.text.toLowerCase().indexOf(wanted) }))
    .filter(({ at, choice }) => at >= 0 && choice.text !== typed)
    .sort((a, b) => Math.min(a.at, 1) - Math.min(b.at, 1) || (b.choice.count ?? 0) - (a.choice.count ?? 0));
  return ranked.slice(0, MOST).map(({ choice }) => choice);
}

/** The query with a choice in the place of what was typed, and where to go on typing. */
export function complete(query: string, want: Want, choice: string): { query: string; caret: number } {
  const behind = query.slice(want.to);
  const text = want.kind === 'field' ? `${fieldText(choice)}:` : valueText(choice);
  const joint = want.kind === 'field' ? behind.replace(/^:/, '') : behind === '' ? ' ' : behind;
  const before = query.slice(0, want.from) + text;
  return { query: before + joint, caret: before.length + (joint.startsWith(' ') && want.kind === 'value' ? 1 : 0) };
}

/** Values that a field may have even where none was counted. */
export function usual(field: string): Choice[] {
  return field === 'level' ? LEVELS.map((text) => ({ text })) : [];
}
