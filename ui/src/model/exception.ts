/** An exception as the event carries it: a chain of causes, groups, and frames folded where they are a library's. */

import { asNumber, asText, isList, isObject, plain, type Json, type JsonObject } from './json';

export interface Trouble {
  readonly type: string;
  readonly message: string;
  readonly notes: readonly string[];
  readonly fingerprint: string;
  readonly stretches: readonly Stretch[];
  readonly framesCut: number;
  /** Why it came to this, and how Python would say it. */
  readonly before?: { readonly relation: string; readonly trouble: Trouble };
  /** Members of an exception group. */
  readonly members: readonly Trouble[];
}

/** Frames in a row that belong together. */
export interface Stretch {
  readonly inApp: boolean;
  readonly packages: readonly string[];
  readonly frames: readonly Frame[];
}

export interface Frame {
  readonly file: string;
  readonly line: number;
  readonly function: string;
  readonly source: string;
  readonly inApp: boolean;
  readonly locals: readonly { readonly name: string; readonly value: string }[];
}

/** A chain that runs in circles, or a hostile one, ends somewhere. */
const MAX_DEPTH = 20;

export function readTrouble(json: Json | undefined, depth = 0): Trouble | undefined {
  if (!isObject(json) || depth > MAX_DEPTH) {
    return undefined;
  }

  const frames = isList(json['frames']) ? json['frames'].filter(isObject).map(readFrame) : [];
  const members = isList(json['exceptions']) ? json['exceptions'] : [];
  const before = readBefore(json, depth);
  return {
    type: asText(json['type']) ?? 'Exception',
    message: asText(json['message']) ?? '',
    notes: isList(json['notes']) ? json['notes'].map(plain) : [],
    fingerprint: asText(json['fingerprint']) ?? '',
    stretches: fold(frames),
    framesCut: asNumber(json['frames_cut']) ?? 0,
    members: members.map((member) => readTrouble(member, depth + 1)).filter((member) => member !== undefined),
    ...(before === undefined ? {} : { before }),
  };
}

/** Frames as Python prints them, the last call last; those of libraries that follow each other in one stretch. */
export function fold(frames: readonly Frame[]): Stretch[] {
  const stretches: { inApp: boolean; packages: string[]; frames: Frame[] }[] = [];

  for (const frame of frames) {
    let last = stretches.at(-1);

    if (last?.inApp !== frame.inApp) {
      last = { inApp: frame.inApp, packages: [], frames: [] };
      stretches.push(last);
    }

    last.frames.push(frame);
    const name = packageOf(frame.file);

    if (!last.packages.includes(name)) {
      last.packages.push(name);
    }
  }

  return stretches;
}

/** Frames that are the same place again and again, as a recursion leaves them: the first of them, and the others. */
export function runs(frames: readonly Frame[]): { first: Frame; again: readonly Frame[] }[] {
  const found: { first: Frame; again: Frame[] }[] = [];

  for (const frame of frames) {
    const last = found.at(-1);

    if (last && samePlace(last.first, frame)) {
      last.again.push(frame);
    } else {
      found.push({ first: frame, again: [] });
    }
  }

  return found;
}

/** The package that a file belongs to: what follows site-packages, or the standard library's folder. */
export function packageOf(file: string): string {
  const inside = /(?:.*(?:site|dist)-packages|.*python3\.\d+|.*\\Lib)[/\\]([^/\\]+)/.exec(file)?.[1];
  return (inside ?? file.split(/[/\\]/).at(-1) ?? file).replace(/\.pyc?$/, '');
}

/** The end of a path, which is what tells it apart. */
export function shortPath(file: string): string {
  return file.split(/[/\\]/).slice(-2).join('/');
}

function samePlace(a: Frame, b: Frame): boolean {
  return a.file === b.file && a.line === b.line && a.function === b.function;
}

function readBefore(json: JsonObject, depth: number): Trouble['before'] {
  const cause = readTrouble(json['cause'], depth + 1);

  if (cause !== undefined) {
    return { relation: 'caused by', trouble: cause };
  }

  const context = readTrouble(json['context'], depth + 1);
  return context === undefined ? undefined : { relation: 'while handling', trouble: context };
}

function readFrame(json: JsonObject): Frame {
  const locals = isObject(json['locals']) ? json['locals'] : {};
  return {
    file: asText(json['file']) ?? '',
    line: asNumber(json['line']) ?? 0,
    function: asText(json['function']) ?? '',
    source: asText(json['source']) ?? '',
    inApp: json['in_app'] === true,
    locals: Object.entries(locals).map(([name, value]) => ({ name, value: plain(value) })),
  };
}
