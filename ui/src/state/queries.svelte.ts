/** Queries that were asked, and those that were given a name; kept in this browser. */

import { isList, isObject, asText, parseJson, type Json } from '../model/json';
import { keep, recall } from './storage';

export interface SavedQuery {
  readonly name: string;
  readonly query: string;
}

const MOST = 50;

export class QueriesState {
  #history = $state.raw<readonly string[]>(read('history').filter((one) => typeof one === 'string'));
  #saved = $state.raw<readonly SavedQuery[]>(read('saved').flatMap(savedFrom));

  /** The last one first. */
  get history(): readonly string[] {
    return this.#history;
  }

  get saved(): readonly SavedQuery[] {
    return this.#saved;
  }

  remember(query: string): void {
    if (query.trim() !== '') {
      this.#history = [query, ...this.#history.filter((one) => one !== query)].slice(0, MOST);
      keep('history', JSON.stringify(this.#history));
    }
  }

  /** Give a query a name; one that has it already is replaced. */
  save(name: string, query: string): void {
    this.#keep([...this.#saved.filter((one) => one.name !== name), { name, query }]);
  }

  forget(name: string): void {
    this.#keep(this.#saved.filter((one) => one.name !== name));
  }

  #keep(saved: readonly SavedQuery[]): void {
    this.#saved = saved;
    keep('saved', JSON.stringify(saved));
  }
}

function read(name: string): readonly Json[] {
  try {
    const found = parseJson(recall(name) ?? '[]');
    return isList(found) ? found : [];
  } catch {
    return [];
  }
}

function savedFrom(json: Json): SavedQuery[] {
  const name = isObject(json) ? asText(json['name']) : undefined;
  const query = isObject(json) ? asText(json['query']) : undefined;
  return name === undefined || query === undefined ? [] : [{ name, query }];
}
