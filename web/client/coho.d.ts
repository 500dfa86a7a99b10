/** A position: `EPOCH.OFFSET`, such as `k3f9.42`. Opaque; keep it to go on where you were. */
export type Position = string;

/** What waits for a network: in this order, each where the one before does not get through. */
export type Transport = "websocket" | "sse" | "poll";

export interface CohoOptions {
  /**
   * Who this is. A function is asked when there is no token yet, when the hub says that the token is about
   * to expire, and once more when it is refused. Cookies need nothing.
   */
  token?: string | (() => string | Promise<string>);
  /** Which transports may be used, best first. Default: all, `["websocket", "sse", "poll"]`. */
  transports?: Transport[];
  /**
   * How many milliseconds a transport has until something useful comes, and then until an answer or a sign of
   * life that was asked for comes. Default: 4,000.
   */
  timeout?: number;
  /** How many requests may wait for the hub. Default: 1,000. */
  maxQueue?: number;
  /** How many bytes may wait for the hub. Default: 1 MiB. */
  maxQueueBytes?: number;
  /** Nothing more goes into a WebSocket while its bufferedAmount is above this. Default: 256 KiB. */
  highWaterMark?: number;
  /** The class to use where there is no global one, as in Node 18 and 20: that of the package `ws`. */
  WebSocket?: new (url: string, protocols?: string | string[]) => any;
  /** Used instead of the global one, for instance to send cookies to another origin. */
  fetch?: (url: string, init?: RequestInit) => Promise<Response>;
  /** Clock and chance, for tests. */
  timers?: {
    setTimeout(fn: () => void, ms: number): any;
    clearTimeout(timer: any): void;
    now?(): number;
    random?(): number;
  };
}

export interface SubscribeOptions {
  /**
   * The last position that is known: everything after it comes, first what was missed. `"0"`: all that
   * the hub still has. Without: from now on. Not for patterns.
   */
  since?: Position | "0";
  /** To be present in the topic under this name. */
  as?: { id: string; info?: unknown };
}

export interface PublishOptions {
  /** Of a topic that conflates: only the latest message of a key counts. Printable ASCII. */
  key?: string;
}

export interface CohoMessage {
  readonly topic: string;
  readonly pos: Position;
  /** Text is a string, anything else bytes. */
  readonly data: string | Uint8Array<ArrayBuffer>;
}

export interface CohoMessageEvent extends Event, CohoMessage {
  /** The pattern that matched, if it was subscribed to by one. */
  readonly pattern?: string;
}

export interface CohoGapEvent extends Event {
  readonly topic: string;
  /** How many messages are gone; null: nobody knows. */
  readonly lost: number | null;
  /** The next message is the one after this. Missing for patterns. */
  readonly pos?: Position;
}

export interface CohoErrorEvent extends Event {
  readonly error: CohoError;
  /** The topic or pattern that was refused; missing when the connection is meant. */
  readonly topic?: string;
}

export interface CohoCloseEvent extends Event {
  /** 1000: `close()` was called; 4401: no good token; 4403: no right. */
  readonly code: number;
  readonly reason: string;
}

export interface CohoError extends Error {
  /**
   * Of the hub: `bad-request`, `bad-since`, `bad-name`, `unauthorized`, `forbidden`, `too-big`,
   * `too-many`, `full`, `unavailable`. Of the client: `disconnected`, `slow`, `closed`, `queue-full`, `offline`:
   * the browser says that there is no network, or has left the page; and `unknown`: it was sent, but for so
   * long there was no answer that repeating it could publish it twice.
   */
  readonly code: string;
  /** For how many milliseconds the hub wants to be left alone; 0: it did not say. */
  readonly wait: number;
}

export interface CohoSubscription {
  readonly topic: string;
  /** Of the last message; before the first one, where it starts, as soon as that is known. */
  readonly position: Position | undefined;
  unsubscribe(): void;
}

export interface CohoMember {
  readonly id: string;
  readonly info?: unknown;
}

export interface CohoEventMap {
  /** Connected: for the first time, again, or another way. */
  open: Event;
  /** A message of any subscription. */
  message: CohoMessageEvent;
  /** The connection was lost or cannot be made, and is tried again; or a topic was refused. */
  error: CohoErrorEvent;
  /** The end: by `close()`, or because the hub does not let us in. */
  close: CohoCloseEvent;
  /** Messages are gone. */
  gap: CohoGapEvent;
}

type Handler<E> = ((event: E) => void) | null;

/** Follows and publishes topics of a coho hub, by whatever transport gets through. */
export declare class Coho extends EventTarget {
  /** `url` is where the hub is mounted, such as `/t/` or `https://example.org/t/`. */
  constructor(url: string | URL, options?: CohoOptions);

  readonly url: string;
  /** 0: connecting; 1: open; 3: closed for good. */
  readonly readyState: 0 | 1 | 3;
  /** The one in use, or "". */
  readonly transport: Transport | "";
  /** Bytes of messages that were not answered yet. */
  readonly bufferedAmount: number;

  onopen?: Handler<CohoEventMap["open"]>;
  onmessage?: Handler<CohoEventMap["message"]>;
  onerror?: Handler<CohoEventMap["error"]>;
  onclose?: Handler<CohoEventMap["close"]>;
  ongap?: Handler<CohoEventMap["gap"]>;

  /**
   * Follows a topic, or by a pattern (`room/+`, `room/#`) many. Any number of functions may follow the same
   * topic, each gets every message once and in order. Patterns need a WebSocket: without one there is an
   * error with code `unavailable` and the pattern, and they are tried again.
   */
  subscribe(
    topic: string,
    fn?: ((message: CohoMessageEvent) => void) | null,
    options?: SubscribeOptions,
  ): CohoSubscription;
  /**
   * Publishes once, also when the connection is lost meanwhile. Resolves when the hub has the message.
   */
  publish(
    topic: string,
    data: string | ArrayBuffer | ArrayBufferView | Blob,
    options?: PublishOptions,
  ): Promise<{ readonly pos: Position }>;
  /**
   * Who is present, in order of arrival; follow the topic `TOPIC/presence` from `pos` of the first answer to
   * stay informed. `next`: there are more, ask again after `next`.
   */
  presence(
    topic: string,
    after?: number,
  ): Promise<{ readonly members: CohoMember[]; readonly pos: Position; readonly next?: number | undefined }>;
  /** The last messages, at most 1,000; `pos` is the last position. Default of `limit`: 100. */
  history(
    topic: string,
    limit?: number,
  ): Promise<{ readonly messages: Omit<CohoMessage, "topic">[]; readonly pos: Position }>;
  /** Ends everything; what was not answered yet is rejected with code `closed`. */
  close(): void;

  addEventListener<K extends keyof CohoEventMap>(
    type: K,
    listener: (this: Coho, event: CohoEventMap[K]) => void,
    options?: boolean | AddEventListenerOptions,
  ): void;
  addEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject | null,
    options?: boolean | AddEventListenerOptions,
  ): void;
  removeEventListener<K extends keyof CohoEventMap>(
    type: K,
    listener: (this: Coho, event: CohoEventMap[K]) => void,
    options?: boolean | EventListenerOptions,
  ): void;
  removeEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject | null,
    options?: boolean | EventListenerOptions,
  ): void;
}
