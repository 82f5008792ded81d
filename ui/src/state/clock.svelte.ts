/** Work that is done at once and then again and again while its screen is there and somebody can see it. */
export function every(ms: number, work: () => void): () => void {
  work();
  const timer = setInterval(() => {
    if (!document.hidden) {
      work();
    }
  }, ms);
  return () => {
    clearInterval(timer);
  };
}
