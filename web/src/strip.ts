/** Strip: the last numbers that came, a cell for each, in the colour of what carried it. */

import type { Transport } from "../client/coho.js";
import { make } from "./dom.js";

const kept = 300;

export class Strip {
  readonly #host: HTMLElement;

  constructor(host: HTMLElement) {
    this.#host = host;
  }

  add(n: number, kind: Transport | "" | "missing"): void {
    const cell = make("i", kind);
    cell.title = kind === "missing" ? `${n} is missing` : `${n}`;
    cell.dataset["n"] = String(n);
    this.#host.append(cell);
    while (this.#host.childElementCount > kept) this.#host.firstElementChild?.remove();
  }

  /** A missing one came after all. */
  mend(n: number, kind: Transport | ""): void {
    const cell = this.#host.querySelector<HTMLElement>(`[data-n="${n}"]`);
    if (!cell) return;
    cell.className = kind;
    cell.title = String(n);
  }
}
