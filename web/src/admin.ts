/** Admin: the messages of the admin listener's feed, as types; and signing in to it. */

export interface ConnectionInfo {
  id: string;
  peer: string;
  route: string;
  target: string;
  protocol: string;
  extensions: string;
  tls: string;
  topics: string;
  age_ms: number;
  quiet_ms: number;
  queued: number;
  messages_in: number;
  messages_out: number;
  bytes_in: number;
  bytes_out: number;
  wire_in: number;
  wire_out: number;
  drops: number;
  rtt_ms: number | null;
  rtt_smooth_ms: number | null;
  flags: number;
}

export interface ServerNumbers {
  state: "starting" | "ready" | "draining";
  uptime_s: number;
  connections: number;
  connections_total: number;
  messages_in: number;
  messages_out: number;
  bytes_in: number;
  bytes_out: number;
  rss_bytes: number;
  open_fds: number;
  cpu_ns: number;
  lag_ms: number;
}

export interface Frame {
  /** Since 1970. */
  time_us: number;
  len: number;
  lost: number;
  opcode: number;
  flags: number;
  /** Its first bytes, in base64. */
  data: string;
}

export interface ListMessage {
  type: "list";
  time: number;
  total: number;
  matched: number;
  server: ServerNumbers;
  conns: ConnectionInfo[];
}

export type AdminMessage = ListMessage
  | { type: "frames"; id: string; lost: number; frames: Frame[] }
  | { type: "tap"; id: string; error: string }
  | { type: "tap_end"; id: string; lost: number }
  | { type: "closing"; id: string; error: string };

export const flagNames = ["paused", "choked", "slowed", "blocked", "closing"];
export const frameFlag = { out: 1, fin: 2, rsv1: 4, message: 8 };

const session = "session";

/** Whether this browser may look. */
export async function signedIn(): Promise<boolean> {
  const answer = await fetch(session, { cache: "no-store" });
  if (!answer.ok) throw new Error(await answer.text());
  return ((await answer.json()) as { signed_in: boolean }).signed_in;
}

/** "" when it worked, else why not. */
export async function signIn(token: string): Promise<string> {
  const answer = await fetch(session, { method: "POST", body: token });
  const said = await answer.text();
  return answer.ok ? "" : said.trim();
}

export async function signOut(): Promise<void> {
  await (await fetch(session, { method: "DELETE" })).text();
}
