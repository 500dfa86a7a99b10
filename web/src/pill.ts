/** Pill: the state of the page's connection, always in the header, in words. */

import type { ConnectionState } from "./connection.js";
import { find } from "./dom.js";

/** A WebSocket (Connection) or a client of topics (Hub). */
export interface Watched {
  readonly state: ConnectionState;
  readonly lastClose: { readonly code: number } | null;
  /** When the next attempt starts, as `performance.now()`, if that is known. */
  readonly retryAt?: number;
  /** Opening it again would be of no use once it is closed. */
  readonly final?: boolean;
  /** What carries it, if that is worth a word. */
  readonly detour?: string;
  open(): unknown;
  addEventListener(type: "statechange", listener: () => void): void;
}

const countdownMs = 200;

export class Pill {
  readonly #connection: Watched;
  readonly #pill = find("pill", HTMLElement);
  readonly #text = find("pill-text", HTMLElement);
  readonly #spoken = find("pill-spoken", HTMLElement);
  readonly #retry = find("pill-retry", HTMLButtonElement);
  #timer = 0;

  constructor(connection: Watched) {
    this.#connection = connection;
    connection.addEventListener("statechange", () => this.#show());
    this.#retry.addEventListener("click", () => connection.open());
    this.#show();
  }

  #show(): void {
    const { state, final } = this.#connection;
    this.#pill.dataset["state"] = state;
    this.#retry.hidden = state !== "waiting" && (state !== "closed" || final === true);
    this.#spoken.textContent = state === "waiting" ? "Connection lost, reconnecting" : `Connection ${this.#words()}`;
    this.#text.textContent = this.#words();
    clearInterval(this.#timer);
    if (state === "waiting" && this.#connection.retryAt !== undefined) {
      this.#timer = setInterval(() => (this.#text.textContent = this.#words()), countdownMs);
    }
  }

  #words(): string {
    const { state, lastClose, detour } = this.#connection;
    switch (state) {
      case "idle": return "not connected";
      case "open": return detour ? `open \u00b7 ${detour}` : "open";
      case "waiting": return this.#waiting();
      case "closed": return lastClose ? `closed ${lastClose.code}` : "closed";
      default: return state;
    }
  }

  #waiting(): string {
    const { retryAt } = this.#connection;
    if (retryAt === undefined) return navigator.onLine ? "reconnecting" : "offline";
    return `reconnecting in ${Math.max(1, Math.ceil((retryAt - performance.now()) / 1000))} s`;
  }
}
