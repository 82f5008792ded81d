/** What the query box offers: names and values where one types, saved and earlier queries where nothing is typed yet. */

import type { Choice, Want } from '../../model/complete';
import type { QueriesState } from '../../state/queries.svelte';

export interface Offer {
  readonly kind: 'field' | 'value' | 'saved' | 'history';
  readonly text: string;
  readonly query: string;
  readonly hint?: string;
  readonly count?: number;
}

const RECENT = 8;

export function offersFor(draft: string, want: Want, choices: readonly Choice[], queries: QueriesState): Offer[] {
  const found = choices.map((choice) => ({ ...choice, kind: want.kind, query: '' }));
  return draft.trim() === '' ? [...earlier(queries), ...found] : found;
}

function earlier({ saved, history }: QueriesState): Offer[] {
  return [
    ...saved.map(({ name, query }) => ({ kind: 'saved' as const, text: name, query, hint: query })),
    ...history.slice(0, RECENT).map((query) => ({ kind: 'history' as const, text: query, query })),
  ];
}
