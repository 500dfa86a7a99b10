/**
 * Breakers: switches that cut a transport, as a network does that lets it not through. coho.js is given
 * this WebSocket and this fetch instead of the browser's own; it does not know that they can be cut.
 */

export type Breakable = "websocket" | "sse";

/** What a browser's WebSocket looks like that did not get through. */
class DeadSocket {
  readonly bufferedAmount = 0;
  onclose: ((event: { code: number; reason: string }) => void) | null = null;

  constructor() {
    setTimeout(() => this.onclose?.({ code: 1006, reason: "" }));
  }

  close(): void {}
}

export class Breakers {
  readonly #off = new Set<Breakable>();
  readonly #sockets = new Set<WebSocket>();
  readonly #streams = new Set<AbortController>();
  readonly #refused: (what: Breakable) => void;
  /** To be given to coho.js. */
  readonly WebSocket: new (url: string, protocols?: string | string[]) => WebSocket | DeadSocket;

  constructor(refused: (what: Breakable) => void) {
    this.#refused = refused;
    const open = (url: string, protocols?: string | string[]): WebSocket | DeadSocket => this.#open(url, protocols);
    this.WebSocket = function (url: string, protocols?: string | string[]) {
      return open(url, protocols); // what a constructor returns is what `new` gives
    } as unknown as Breakers["WebSocket"];
  }

  isOff(what: Breakable): boolean {
    return this.#off.has(what);
  }

  /** Cuts what is there, without farewell, and what is tried later; or lets it through again. */
  set(what: Breakable, on: boolean): void {
    if (on) {
      this.#off.delete(what);
      return;
    }
    this.#off.add(what);
    if (what === "sse") for (const stream of this.#streams) stream.abort(new TypeError("switched off"));
    else for (const socket of [...this.#sockets]) this.#cut(socket);
  }

  readonly fetch = async (url: string, init: RequestInit = {}): Promise<Response> => {
    if (new Headers(init.headers).get("accept") !== "text/event-stream") return fetch(url, init);
    if (this.isOff("sse")) {
      this.#refused("sse");
      throw new TypeError("switched off");
    }
    const breaker = new AbortController();
    init.signal?.addEventListener("abort", () => breaker.abort(init.signal?.reason));
    breaker.signal.addEventListener("abort", () => this.#streams.delete(breaker));
    this.#streams.add(breaker);
    return fetch(url, { ...init, signal: breaker.signal });
  };

  #open(url: string, protocols?: string | string[]): WebSocket | DeadSocket {
    if (this.isOff("websocket")) {
      this.#refused("websocket");
      return new DeadSocket();
    }
    const socket = new WebSocket(url, protocols);
    this.#sockets.add(socket);
    socket.addEventListener("close", () => this.#sockets.delete(socket));
    return socket;
  }

  /** What is under way is lost, as on a cable that somebody cut. */
  #cut(socket: WebSocket): void {
    const { onclose } = socket;
    this.#sockets.delete(socket);
    socket.onmessage = socket.onclose = null;
    socket.close();
    onclose?.call(socket, new CloseEvent("close", { code: 1006 }));
  }
}
