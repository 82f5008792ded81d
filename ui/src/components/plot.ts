/**
 * Bars on a canvas, drawn by uPlot: as large as their element, in the theme's colours, as sharp as the screen.
 *
 * Pointer and keys are the component's: uPlot has a mouse only, and a chart is touched and walked by keys too.
 */

import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';

export interface Bars {
  /** The range on the canvas, in any unit. */
  readonly from: number;
  readonly to: number;
  /** Where each bar begins; all are equally wide. */
  readonly starts: readonly number[];
  /** One for each colour, those in front last: how high each bar is. */
  readonly heights: readonly (readonly number[])[];
}

/** The part of a bar's place that it fills. */
const FILLED = 0.85;
const NONE: Bars = { from: 0, to: 1, starts: [], heights: [] };

export class BarPlot {
  #bars = NONE;
  #paints: string[];
  readonly #host: HTMLElement;
  readonly #colours: readonly string[];
  readonly #plot: uPlot;
  readonly #stops: (() => void)[];

  /** `colours` are names of CSS variables. */
  constructor(host: HTMLElement, colours: readonly string[]) {
    this.#host = host;
    this.#colours = colours;
    this.#paints = paints(host, colours);
    this.#plot = new uPlot(this.#options(), this.#data(), host);
    this.#stops = [onResize(host, () => this.#fit()), onTheme(() => this.#repaint())];
  }

  draw(bars: Bars): void {
    this.#bars = bars;
    this.#plot.setData(this.#data());
  }

  /** Lay a mark over a part of the width, from 0 to 1; none where there is nothing. */
  mark(part: { from: number; to: number } | undefined): void {
    const { width, height } = this.#plot;
    const { from, to } = part ?? { from: 0, to: 0 };
    this.#plot.setSelect({ left: from * width, width: (to - from) * width, top: 0, height }, false);
  }

  destroy(): void {
    this.#stops.forEach((stop) => stop());
    this.#plot.destroy();
  }

  #options(): uPlot.Options {
    const paths = uPlot.paths.bars?.({ size: [FILLED, Infinity], align: 1 });
    const series = this.#colours.map((_, at) => ({
      ...(paths && { paths }),
      points: { show: false },
      fill: () => this.#paints[at] ?? '',
    }));
    return {
      width: this.#host.clientWidth,
      height: this.#host.clientHeight,
      padding: [0, 0, 0, 0],
      legend: { show: false },
      cursor: { show: false },
      axes: [{ show: false }, { show: false }],
      scales: {
        x: { time: false, range: () => [this.#bars.from, this.#bars.to] },
        y: { range: (_plot, _least, most) => [0, Math.max(most, 1)] },
      },
      series: [{}, ...series],
    };
  }

  #data(): uPlot.AlignedData {
    const { starts, heights } = this.#bars;
    return [[...starts], ...this.#colours.map((_, at) => [...(heights[at] ?? [])])];
  }

  #fit(): void {
    const [width, height] = [this.#host.clientWidth, this.#host.clientHeight];

    if (width > 0 && (width !== this.#plot.width || height !== this.#plot.height)) {
      this.#plot.setSize({ width, height });
    }
  }

  #repaint(): void {
    this.#paints = paints(this.#host, this.#colours);
    this.#plot.redraw(false);
  }
}

/** What the variables are in this theme: a canvas knows none. */
function paints(element: HTMLElement, names: readonly string[]): string[] {
  const found = names.map((name) => {
    element.style.color = `var(--${name})`;
    return getComputedStyle(element).color;
  });
  element.style.removeProperty('color');
  return found;
}

function onResize(element: Element, tell: () => void): () => void {
  const watch = new ResizeObserver(tell);
  watch.observe(element);
  return () => watch.disconnect();
}

/** The page's theme was chosen, or the system's changed. */
function onTheme(tell: () => void): () => void {
  const stop = new AbortController();
  const watch = new MutationObserver(tell);
  watch.observe(document.documentElement, { attributeFilter: ['data-theme'] });
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', tell, { signal: stop.signal });
  return () => {
    watch.disconnect();
    stop.abort();
  };
}
