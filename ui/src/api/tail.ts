/** One WebSocket to the hub's tail: frames in, nothing out. When to connect again is not decided here. */

import { readFrame, type Frame } from '../model/answers';
import { parseJson } from '../model/json';
import { address } from './hub';

export interface TailHandlers {
  readonly onFrame: (frame: Frame) => void;
  readonly onClosed: () => void;
}

/** Connects, and gives back what closes; afterwards no handler is called any more. */
export type OpenTail = (query: string, cursor: string | null, handlers: TailHandlers) => () => void;

export const openTail: OpenTail = (query, cursor, handlers) => {
  const url = address('api/v1/tail', { query, ...(cursor === null ? {} : { cursor }) });
  url.protocol = url.protocol.replace('http', 'ws');
  const socket = new WebSocket(url);
  let open = true;

  socket.addEventListener('message', (message: MessageEvent<unknown>) => {
    const frame = open && typeof message.data === 'string' ? readFrame(parseJson(message.data)) : undefined;

    if (frame !== undefined) {
      handlers.onFrame(frame);
    }
  });
  socket.addEventListener('close', () => {
    if (open) {
      open = false;
      handlers.onClosed();
    }
  });
  return () => {
    open = false;
    socket.close();
  };
};
