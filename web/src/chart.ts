/** Chart: lines over the last two minutes, drawn by uPlot in the colours of the style sheet. */

import uPlot from "uplot";
import { colour } from "./dom.js";
import { spanSeconds, type Timeline } from "./timeline.js";

export interface Line {
  label: string;
  /** A custom property of the style sheet. */
  colour: string;
  filled?: boolean;
}

export interface ChartOptions {
  lines: Line[];
  height: number;
  format: (value: number) => string;
  range: (low: number, high: number) => [number, number];
  /** Axis steps are powers of two: for bytes. */
  binary?: boolean;
  /** Charts with the same key share one crosshair. */
  sync?: string;
  /** The index under the crosshair, or null when there is none. */
  onCursor?: (index: number | null) => void;
}

const powersOfTwo = Array.from({ length: 44 }, (_, i) => 2 ** i);
/** A young timeline fills the chart; it never shows less than this. */
const leastSpanSeconds = 30;
const markEverySeconds = [10, 20, 30];
const mostMarks = 5;

/** A range from zero to somewhat above the highest value, and at least to `least`. */
export function fromZero(least: number): ChartOptions["range"] {
  return (_low, high) => [0, Math.max(high * 1.15, least)];
}

export class Chart {
  readonly #plot: uPlot;

  constructor(host: HTMLElement, options: ChartOptions) {
    this.#plot = new uPlot({ ...plotOptions(options), width: host.clientWidth || 300 }, [[]], host);
    new ResizeObserver(() => {
      if (host.clientWidth > 0) this.#plot.setSize({ width: host.clientWidth, height: options.height });
    }).observe(host);
    document.addEventListener("themechange", () => this.#plot.redraw(false));
  }

  draw(timeline: Timeline): void {
    this.#plot.setData([timeline.times, ...timeline.columns]);
  }

  show(line: number, visible: boolean): void {
    if (this.#plot.series[line + 1]?.show !== visible) this.#plot.setSeries(line + 1, { show: visible });
  }
}

function plotOptions(options: ChartOptions): Omit<uPlot.Options, "width"> {
  return {
    height: options.height,
    padding: [8, 14, 0, 0],
    legend: { show: false },
    cursor: {
      y: false,
      drag: { setScale: false, x: false, y: false },
      points: { size: 7 },
      ...(options.sync === undefined ? {} : { sync: { key: options.sync } }),
    },
    scales: {
      x: { time: false, range: (_plot, low, high) => timeRange(low ?? high ?? 0, high ?? 0) },
      y: { range: (_plot, low, high) => options.range(low ?? 0, high ?? 0) },
    },
    series: [{}, ...options.lines.map(series)],
    axes: [timeAxis(), valueAxis(options)],
    hooks: { setCursor: [(plot) => options.onCursor?.(plot.cursor.idx ?? null)] },
  };
}

function series(line: Line): uPlot.Series {
  return {
    label: line.label,
    stroke: () => colour(line.colour),
    ...(line.filled ? { fill: () => colour(`${line.colour}-wash`) } : {}),
    width: 2,
    points: { show: false },
    spanGaps: false,
  };
}

function timeRange(low: number, high: number): [number, number] {
  return [high - Math.min(spanSeconds, Math.max(leastSpanSeconds, high - low)), high];
}

/** Marks at round distances from now, which is at the right edge. */
function timeSplits(low: number, high: number): number[] {
  const step = markEverySeconds.find((seconds) => (high - low) / seconds < mostMarks) ?? 30;
  return Array.from({ length: Math.ceil((high - low) / step) }, (_, i) => high - i * step).reverse();
}

function timeAxis(): uPlot.Axis {
  return {
    ...lookOfAxis(),
    size: 22,
    splits: (_plot, _axis, low, high) => timeSplits(low, high),
    values: (_plot, splits) => splits.map((split) => {
      const ago = Math.round((splits.at(-1) ?? split) - split);
      return ago === 0 ? "now" : `\u2212${ago} s`;
    }),
  };
}

function valueAxis(options: ChartOptions): uPlot.Axis {
  return {
    ...lookOfAxis(),
    size: 62,
    space: 36,
    values: (_plot, splits) => splits.map(options.format),
    ...(options.binary ? { incrs: powersOfTwo } : {}),
  };
}

function lookOfAxis(): uPlot.Axis {
  const line = { stroke: () => colour("--line"), width: 1 };
  return { stroke: () => colour("--muted"), font: "11px system-ui, sans-serif", grid: line, ticks: { ...line, size: 4 }, gap: 4 };
}
