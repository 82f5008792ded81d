/**
 * Work that is done at once and then again and again while its screen is there and somebody can see it.
 *
 * It is never done twice at a time, and rests for twenty times as long as it took: a hub that is slow to answer has
 * most of its time for others.
 */

const SHARE = 20;

export function every(ms: number, work: () => Promise<void>): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let over = false;

  async function turn(): Promise<void> {
    const started = performance.now();

    if (!document.hidden || timer === undefined) {
      await work();
    }

    if (!over) {
      timer = setTimeout(() => void turn(), Math.max(ms, SHARE * (performance.now() - started)));
    }
  }

  void turn();
  return () => {
    over = true;
    clearTimeout(timer);
  };
}
