/** Protocol: the JSON of the demo's topics. Plain data, usable by any client. */

/** In `chat/ROOM`. Anybody may publish anything there: readLine() says what it is worth. */
export interface ChatLine {
  /** Made by the author's page, to know its own lines again. */
  id: string;
  /** The author as a member of the room. */
  from: string;
  name: string;
  text: string;
  time: number;
}

/** In `chat/ROOM/typing`. */
export interface Typist {
  from: string;
  name: string;
}

/** In `TOPIC/presence`. */
export type PresenceEvent =
  | { event: "join" | "update"; id: string; info?: unknown }
  | { event: "leave"; id: string };

/** In `stocks`, a list of them. */
export interface Company {
  symbol: string;
  name: string;
  open: number;
}

/** In `stocks/SYMBOL` and `ticks`. */
export interface Quote extends Company {
  price: number;
  time: number;
}

/** In `stats`: one second of the server's life; in and out are rates per second. */
export interface Sample {
  time: number;
  uptime_s: number;
  connections: number;
  messages_in: number;
  messages_out: number;
  bytes_in: number;
  bytes_out: number;
  rss_bytes: number;
  cpu_percent: number;
  loop_lag_ms: number;
}

/** What the server's own topics say is JSON; a message of another kind is none of theirs. */
export function parse<T>(data: string | Uint8Array): T | null {
  if (typeof data !== "string") return null;
  try {
    return JSON.parse(data) as T;
  } catch {
    return null;
  }
}
