/**
 * The hub's tail over whatever gets through: frames in, nothing out. When to connect again is not decided here.
 *
 * 1. A WebSocket first; where proxies do not pass one on, server-sent events; where they hold those back, a long poll.
 * 2. The next way is taken only if this one gave no frame while the hub answers a poll: a hub that is away, or that
 *    refuses the query or the caller, is not the proxy's fault.
 * 3. What worked once is used from then on, until the page is loaded again.
 */

import { readFrame, type Frame } from '../model/answers';
import { asText, isList, isObject, parseJson, type Json } from '../model/json';
import { address, getJson, HubError } from './hub';

export interface TailHandlers {
  readonly onFrame: (frame: Frame) => void;
  readonly onClosed: () => void;
}

/** Connects, and gives back what closes; afterwards no handler is called any more. */
export type OpenTail = (query: string, cursor: string | null, handlers: TailHandlers) => () => void;

/** The first frame comes at once; what takes longer is held back on its way. */
const FIRST_FRAME_MS = 4000;
const POLL_S = '20';

const WAYS: readonly OpenTail[] = [bySocket, byStream, byPoll];

/** The way that is taken, for all tails of the page. */
let way = 0;

export const openTail: OpenTail = (query, cursor, handlers) => {
  const mine = way;
  let open = true;
  let works = false;

  const close = (WAYS[mine] ?? bySocket)(query, cursor, {
    onFrame: (frame) => {
      works = true;

      if (open) {
        handlers.onFrame(frame);
      }
    },
    onClosed: () => void end(),
  });
  const timer = setTimeout(() => !works && void end(), FIRST_FRAME_MS);

  async function end(): Promise<void> {
    if (open) {
      close();
      clearTimeout(timer);
      await yieldTo(works ? undefined : query, mine);
      finish();
    }
  }

  function finish(): void {
    if (open) {
      open = false;
      handlers.onClosed();
    }
  }

  return () => {
    open = false;
    clearTimeout(timer);
    close();
  };
};

/** Take the next way, if this one gave nothing to a query that the hub answers. */
async function yieldTo(query: string | undefined, mine: number): Promise<void> {
  if (query !== undefined && (await answersPolls(query)) && way === mine) {
    way = (mine + 1) % WAYS.length;
  }
}

function bySocket(query: string, cursor: string | null, handlers: TailHandlers): () => void {
  const url = address('api/v1/tail', parameters(query, cursor));
  url.protocol = url.protocol.replace('http', 'ws');
  const socket = new WebSocket(url);
  socket.addEventListener('message', (message: MessageEvent<unknown>) => take(message.data, handlers));
  socket.addEventListener('close', handlers.onClosed);
  return () => socket.close();
}

function byStream(query: string, cursor: string | null, handlers: TailHandlers): () => void {
  const stream = new EventSource(address('api/v1/tail', parameters(query, cursor)));
  stream.addEventListener('message', (message: MessageEvent<unknown>) => take(message.data, handlers));
  // It would connect again by itself; when to do that is decided for all ways in one place.
  stream.addEventListener('error', () => {
    stream.close();
    handlers.onClosed();
  });
  return () => stream.close();
}

function byPoll(query: string, cursor: string | null, handlers: TailHandlers): () => void {
  const abort = new AbortController();
  void poll(query, cursor, handlers, abort.signal);
  return () => abort.abort();
}

async function poll(query: string, cursor: string | null, handlers: TailHandlers, signal: AbortSignal): Promise<void> {
  let next = cursor;

  try {
    // The first answer is there at once: it says where the tail stands, so that the wait of the next is no silence.
    for (let wait = '0'; !signal.aborted; wait = POLL_S) {
      const answer = await getJson('api/v1/tail', { ...parameters(query, next), wait }, signal);
      const { frames, place } = readPoll(answer);
      frames.forEach(handlers.onFrame);
      next = place ?? next;
      handlers.onFrame({ type: 'events', events: [], cursor: next });
    }
  } catch (error) {
    if (!signal.aborted && error instanceof HubError) {
      handlers.onClosed();
    } else if (!signal.aborted) {
      throw error;
    }
  }
}

function readPoll(json: Json): { frames: Frame[]; place: string | undefined } {
  const answer = isObject(json) ? json : {};
  const frames = isList(answer['frames']) ? answer['frames'] : [];
  return { frames: frames.map(readFrame).filter((frame) => frame !== undefined), place: asText(answer['cursor']) };
}

async function answersPolls(query: string): Promise<boolean> {
  try {
    await getJson('api/v1/tail', { query, wait: '0' });
    return true;
  } catch (error) {
    if (error instanceof HubError) {
      return false;
    }

    throw error;
  }
}

function take(data: unknown, handlers: TailHandlers): void {
  const frame = typeof data === 'string' ? readFrame(parseJson(data)) : undefined;

  if (frame !== undefined) {
    handlers.onFrame(frame);
  }
}

function parameters(query: string, cursor: string | null): Record<string, string> {
  return { query, ...(cursor === null ? {} : { cursor }) };
}
