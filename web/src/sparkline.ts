/** Sparkline: one small line on a canvas, without axes. */

import { colour } from "./dom.js";
import type { Column } from "./timeline.js";

const inset = 2;

export class Sparkline {
  readonly canvas = document.createElement("canvas");
  readonly #colour: string;

  constructor(colourProperty: string, width: number, height: number) {
    this.#colour = colourProperty;
    this.canvas.width = width * devicePixelRatio;
    this.canvas.height = height * devicePixelRatio;
    this.canvas.style.width = `${width}px`;
    this.canvas.style.height = `${height}px`;
    this.canvas.setAttribute("aria-hidden", "true");
  }

  draw(values: Column): void {
    const context = this.canvas.getContext("2d");
    if (!context) return;
    const { width, height } = this.canvas;
    const known = values.filter((value) => value !== null);
    const low = Math.min(...known);
    const scale = (height - 2 * inset * devicePixelRatio) / (Math.max(...known) - low || 1);
    const step = width / Math.max(1, values.length - 1);
    context.clearRect(0, 0, width, height);
    context.beginPath();
    let penDown = false;
    values.forEach((value, i) => {
      if (value !== null) {
        const y = height - inset * devicePixelRatio - (value - low) * scale;
        if (penDown) context.lineTo(i * step, y);
        else context.moveTo(i * step, y);
      }
      penDown = value !== null;
    });
    context.strokeStyle = colour(this.#colour);
    context.lineWidth = 1.5 * devicePixelRatio;
    context.lineJoin = "round";
    context.stroke();
  }
}
