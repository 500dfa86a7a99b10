/**
 * Connection: a WebSocket that comes back by itself.
 *
 * The only file of these pages that touches the network. It speaks the browser's vocabulary
 * (open, message, error, close; send, close) and adds one event, `statechange`.
 * After a loss it waits a random time below a ceiling that doubles up to a cap ("full jitter"),
 * so that a thousand pages do not knock on a restarted server's door in the same instant.
 */

export type ConnectionState = "idle" | "connecting" | "open" | "waiting" | "closed";

export interface ConnectionEvents {
  open: Event;
  message: MessageEvent<string | ArrayBuffer>;
  error: Event;
  close: CloseEvent;
  statechange: Event;
}

const firstCeilingMs = 250;
const capMs = 5_000;
/** A connection that lived this long counts as good: the next loss starts from the first ceiling. */
const settledMs = 2_000;

/** Close codes after which the same request may well succeed: the server or the network went away. */
const passing = new Set([1001, 1005, 1006, 1011, 1012, 1013, 1014]);

export function fullJitter(attempt: number, random: () => number = Math.random): number {
  return random() * Math.min(capMs, firstCeilingMs * 2 ** attempt);
}

/** The WebSocket address of an endpoint beside this page. */
export function endpoint(path: string): string {
  const url = new URL(path, document.baseURI);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  return url.href;
}

export interface Connection {
  addEventListener<K extends keyof ConnectionEvents>(
    type: K, listener: (event: ConnectionEvents[K]) => void): void;
  addEventListener(type: string, listener: EventListenerOrEventListenerObject | null): void;
}

export class Connection extends EventTarget {
  /** When the next attempt starts, as `performance.now()`; meaningful in state `waiting`. */
  retryAt = 0;
  lastClose: CloseEvent | null = null;

  readonly #path: () => string;
  #state: ConnectionState = "idle";
  #socket: WebSocket | null = null;
  #timer = 0;
  #attempt = 0;
  #openedAt = 0;
  #wanted = false;
  /** Opened again while the close of the last connection was still under way. */
  #again = false;

  /** `path` is asked again at every attempt, so that it may carry what has changed meanwhile. */
  constructor(path: string | (() => string)) {
    super();
    this.#path = typeof path === "string" ? () => path : path;
    addEventListener("online", () => this.#hurry());
    document.addEventListener("visibilitychange", () => {
      if (!document.hidden) this.#hurry();
    });
  }

  get state(): ConnectionState {
    return this.#state;
  }

  /** Opens now: the first time, after a close, or instead of waiting any longer. */
  open(): void {
    this.#wanted = true;
    this.#again = this.#socket?.readyState === WebSocket.CLOSING;
    if (this.#socket === null) this.#connect();
  }

  /** False, and nothing sent, unless the connection is open. */
  send(data: string | ArrayBuffer | Uint8Array<ArrayBuffer>): boolean {
    if (this.#socket?.readyState !== WebSocket.OPEN) return false;
    this.#socket.send(data);
    return true;
  }

  /** Closes for good (until `open`). Throws what WebSocket.close throws, and then closes nothing. */
  close(code?: number, reason?: string): void {
    this.#socket?.close(code, reason);
    this.#wanted = false;
    this.#again = false;
    if (this.#socket === null) {
      clearTimeout(this.#timer);
      this.#become("closed");
    }
  }

  #connect(): void {
    clearTimeout(this.#timer);
    const socket = new WebSocket(endpoint(this.#path()));
    socket.binaryType = "arraybuffer";
    socket.onopen = () => this.#opened();
    socket.onmessage = (event) => this.dispatchEvent(new MessageEvent("message", { data: event.data }));
    socket.onerror = () => this.dispatchEvent(new Event("error"));
    socket.onclose = (event) => this.#closed(event);
    this.#socket = socket;
    this.#become("connecting");
  }

  #opened(): void {
    this.#openedAt = performance.now();
    this.#become("open");
    this.dispatchEvent(new Event("open"));
  }

  #closed({ code, reason, wasClean }: CloseEvent): void {
    const settled = this.#state === "open" && performance.now() - this.#openedAt >= settledMs;
    this.#socket = null;
    this.lastClose = new CloseEvent("close", { code, reason, wasClean });
    if (this.#wanted && passing.has(code)) this.#wait(settled ? 0 : this.#attempt);
    else this.#become("closed");
    this.dispatchEvent(this.lastClose);
    if (this.#again) this.open();
  }

  #wait(attempt: number): void {
    const delay = fullJitter(attempt);
    this.#attempt = attempt + 1;
    this.retryAt = performance.now() + delay;
    this.#timer = setTimeout(() => this.#connect(), delay);
    this.#become("waiting");
  }

  #hurry(): void {
    if (this.#state === "waiting") this.#connect();
  }

  #become(state: ConnectionState): void {
    this.#state = state;
    this.dispatchEvent(new Event("statechange"));
  }
}
