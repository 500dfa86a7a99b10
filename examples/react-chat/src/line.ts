/** Line: what one person said, as it is on the wire and on the page. */

import type { Received } from "./hooks";

export interface Line {
  /** The sender's choice: who repeats a line is not heard twice. */
  id: string;
  from: string;
  text: string;
  /** When it was written, by the sender's clock; 0: not known. */
  at: number;
}

export function say(from: string, text: string): Line {
  const [a, b] = crypto.getRandomValues(new Uint32Array(2));
  return { id: `${a?.toString(36)}${b?.toString(36)}`, from, text, at: Date.now() };
}

/** Anybody may publish anything, for instance by curl; what is no line is somebody's text. */
export function decode({ data, pos }: Received): Line {
  if (typeof data !== "string") return { id: pos, from: "", text: `${data.length} bytes`, at: 0 };
  try {
    const { id, from, text, at } = JSON.parse(data) as Record<keyof Line, unknown>;
    if (typeof id === "string" && typeof from === "string" && typeof text === "string" && typeof at === "number")
      return { id, from, text, at };
  } catch {
    // not JSON
  }
  return { id: pos, from: "", text: data, at: 0 };
}
