/** The server behind the page: where it is, and what it lacks, as it wrote into the page itself. */

export interface Server {
  /** The address that an application sends to. */
  readonly url: string;
  /** A process that shows its own events takes none from others, and keeps them in memory alone. */
  readonly takesEvents: boolean;
  readonly writesParquet: boolean;
  readonly asksForToken: boolean;
}

/** Read it from the address of the page's base and from the words of `data-lacks`. */
export function readServer(base: string, lacks: string): Server {
  const words = lacks.split(' ');
  return {
    url: base.replace(/[?#].*$/, '').replace(/\/[^/]*$/, ''),
    takesEvents: !words.includes('ingest'),
    writesParquet: !words.includes('parquet'),
    asksForToken: !words.includes('token'),
  };
}
