/** Protocol: the JSON that the demo endpoints send. Plain data, usable from any WebSocket client. */

export type ChatMessage =
  | { type: "welcome"; room: string; name: string; members: string[] }
  | { type: "join" | "leave"; name: string; members: number }
  | { type: "message"; name: string; text: string; time: number };

export interface Quote {
  symbol: string;
  name: string;
  price: number;
  open: number;
}

export type MarketMessage =
  | { type: "symbols"; symbols: Quote[] }
  | { type: "subscribed"; symbols: string[] }
  | { type: "price"; symbol: string; price: number; time: number }
  | { type: "error"; error: string };

/** One second of the server's life; in and out are rates per second. */
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

export type StatsMessage =
  | { type: "history"; interval_ms: number; samples: Sample[] }
  | ({ type: "sample" } & Sample);
