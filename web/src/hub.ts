/** Hub: a client of topics, coho.js, with its state in the words that the pill knows. */

import { Coho, type CohoOptions, type Transport } from "../client/coho.js";
import type { ConnectionState } from "./connection.js";

export const transportNames: Record<Transport, string> = {
  websocket: "WebSocket",
  sse: "Server-Sent Events",
  poll: "Long poll",
};

/** Tries again now what coho.js would try later: it listens for this sign of the browser. */
export function hurry(): void {
  dispatchEvent(new Event("online"));
}

export class Hub extends EventTarget {
  /** Closed is for good: nobody is let in without what was missing. */
  readonly final = true;
  state: ConnectionState = "idle";
  lastClose: { code: number } | null = null;

  readonly #path: string;
  readonly #options: CohoOptions;
  #client: Coho | null = null;

  /** `path` is where the hub is mounted, seen from this page. */
  constructor(path: string, options: CohoOptions = {}) {
    super();
    this.#path = path;
    this.#options = options;
    for (const type of ["online", "offline"]) {
      addEventListener(type, () => this.dispatchEvent(new Event("statechange")));
    }
  }

  /** What carries it, when that is not a WebSocket. */
  get detour(): string {
    const transport = this.#client?.transport;
    if (this.state !== "open" || !transport || transport === "websocket") return "";
    return transport === "sse" ? "SSE" : "long poll";
  }

  /** The client, a new one when there is none yet or the last one has ended. */
  open(): Coho {
    if (this.#client && this.#client.readyState < 3) {
      hurry();
      return this.#client;
    }
    const client = new Coho(new URL(this.#path, document.baseURI), this.#options);
    client.addEventListener("open", () => this.#become("open"));
    client.addEventListener("error", ({ topic }) => {
      if (topic === undefined && client.readyState === 0) this.#become("waiting");
    });
    client.addEventListener("close", ({ code }) => {
      this.lastClose = { code };
      this.#become(code === 1000 ? "idle" : "closed");
    });
    this.#client = client;
    this.#become("connecting");
    return client;
  }

  close(): void {
    this.#client?.close();
  }

  #become(state: ConnectionState): void {
    this.state = state;
    this.dispatchEvent(new Event("statechange"));
  }
}
