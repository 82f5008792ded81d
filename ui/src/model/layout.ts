/** Where rows of one height stand in a long list, a few of which are open and higher. Pure arithmetic. */

export interface Open {
  readonly index: number;
  /** Height of what the row shows when open, in pixels, without the row itself. */
  readonly height: number;
}

/** Pixels above a row. `opens` are sorted by index. */
export function offsetOf(index: number, rowHeight: number, opens: readonly Open[]): number {
  let offset = index * rowHeight;

  for (const open of opens) {
    if (open.index >= index) {
      break;
    }

    offset += open.height;
  }

  return offset;
}

/** The row that covers a pixel, its open part included. */
export function indexAt(y: number, rowHeight: number, opens: readonly Open[]): number {
  let above = 0;

  for (const open of opens) {
    const bottom = (open.index + 1) * rowHeight + above;

    if (y < bottom) {
      break;
    }

    if (y < bottom + open.height) {
      return open.index;
    }

    above += open.height;
  }

  return Math.max(0, Math.floor((y - above) / rowHeight));
}
