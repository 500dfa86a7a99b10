/** Tile: one thing that is measured, its value now in large, its last two minutes below. */

import { Chart, fromZero, type Line } from "./chart.js";
import { make } from "./dom.js";
import type { Sample } from "./protocol.js";
import { Timeline } from "./timeline.js";

export interface Measure {
  title: string;
  /** One or two: with two, the first goes up to the server, the second down from it. */
  fields: (keyof Sample)[];
  format: (value: number) => string;
  /** The axis reaches at least so far. */
  least: number;
  binary?: boolean;
}

const height = 132;
const upAndDown = [{ label: "in", colour: "--up" }, { label: "out", colour: "--down" }];
const alone: Line[] = [{ label: "", colour: "--accent", filled: true }];

export class Tile {
  readonly element: HTMLElement;

  readonly #measure: Measure;
  readonly #timeline: Timeline;
  readonly #values: HTMLElement[];
  readonly #chart: Chart;
  #pointed: number | null = null;

  constructor(host: HTMLElement, measure: Measure) {
    const lines = measure.fields.length === 2 ? upAndDown : alone;
    this.#measure = measure;
    this.#timeline = new Timeline(lines.length);
    this.#values = lines.map(() => make("b", "value", "\u2013"));
    const plot = make("div", "chart");
    plot.setAttribute("aria-hidden", "true");
    const labels = lines.map((line, i) => make("span", `reading ${line.label}`, this.#values[i] ?? "", make("small", "", line.label)));
    this.element = make("li", "tile panel", make("h2", "", measure.title), make("p", "readings", ...labels), plot);
    this.element.dataset["measure"] = measure.fields.join(" ");
    host.append(this.element);
    this.#chart = new Chart(plot, {
      lines,
      height,
      format: measure.format,
      range: fromZero(measure.least),
      binary: measure.binary ?? false,
      sync: "stats",
      onCursor: (index) => {
        this.#pointed = index;
        this.#show();
      },
    });
  }

  add(sample: Sample): void {
    this.#timeline.add(sample.time / 1000, this.#measure.fields.map((field) => sample[field]));
  }

  /** A hole: nothing is known from that moment on, until the next sample. */
  hole(time: number): void {
    this.#timeline.add(time / 1000, []);
  }

  draw(): void {
    this.#chart.draw(this.#timeline);
    this.#show();
  }

  /** The value under the crosshair, else the newest. */
  #show(): void {
    const at = this.#pointed ?? this.#timeline.times.length - 1;
    this.#values.forEach((element, i) => {
      const value = this.#timeline.columns[i]?.[at] ?? null;
      element.textContent = value === null ? "\u2013" : this.#measure.format(value);
    });
  }
}
