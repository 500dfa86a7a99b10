/** Pill: the state of the page's connection, always in the header, in words. */

import type { Connection } from "./connection.js";
import { find } from "./dom.js";

const countdownMs = 200;

export class Pill {
  readonly #connection: Connection;
  readonly #pill = find("pill", HTMLElement);
  readonly #text = find("pill-text", HTMLElement);
  readonly #spoken = find("pill-spoken", HTMLElement);
  readonly #retry = find("pill-retry", HTMLButtonElement);
  #timer = 0;

  constructor(connection: Connection) {
    this.#connection = connection;
    connection.addEventListener("statechange", () => this.#show());
    this.#retry.addEventListener("click", () => connection.open());
    this.#show();
  }

  #show(): void {
    const { state } = this.#connection;
    this.#pill.dataset["state"] = state;
    this.#retry.hidden = state !== "waiting" && state !== "closed";
    this.#spoken.textContent = state === "waiting" ? "Connection lost, reconnecting" : `Connection ${this.#words()}`;
    this.#text.textContent = this.#words();
    clearInterval(this.#timer);
    if (state === "waiting") {
      this.#timer = setInterval(() => (this.#text.textContent = this.#words()), countdownMs);
    }
  }

  #words(): string {
    const { state, retryAt, lastClose } = this.#connection;
    switch (state) {
      case "idle": return "not connected";
      case "waiting": return `reconnecting in ${Math.max(1, Math.ceil((retryAt - performance.now()) / 1000))} s`;
      case "closed": return lastClose ? `closed ${lastClose.code}` : "closed";
      default: return state;
    }
  }
}
