/** Tapped: a frame of a followed connection as one line. */

import { frameFlag, type Frame } from "./admin.js";
import { make } from "./dom.js";
import * as format from "./format.js";

const opcodes: Record<number, string> = { 0: "cont", 1: "text", 2: "binary", 8: "close", 9: "ping", 10: "pong" };

function bytesOf(data: string): Uint8Array {
  return Uint8Array.from(atob(data), (c) => c.charCodeAt(0));
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes.subarray(0, 48), (b) => b.toString(16).padStart(2, "0")).join(" ");
}

/** Text as far as it is text; a character that the end cut in two is left out. */
function text(bytes: Uint8Array): string {
  return new TextDecoder("utf-8").decode(bytes, { stream: true });
}

function closing(bytes: Uint8Array): string {
  if (bytes.length < 2) return "no code";
  return `${((bytes[0] ?? 0) << 8) | (bytes[1] ?? 0)} ${text(bytes.subarray(2))}`.trim();
}

function payload(frame: Frame): string {
  const bytes = bytesOf(frame.data);
  const compressed = (frame.flags & frameFlag.rsv1) !== 0;
  const shown = frame.opcode === 8 ? closing(bytes)
    : frame.opcode === 1 && !compressed ? text(bytes) : hex(bytes);
  return bytes.length < frame.len || (shown !== "" && hex(bytes).length < bytes.length * 3 - 1 && frame.opcode !== 1 && frame.opcode !== 8)
    ? `${shown} \u2026` : shown;
}

function kind(frame: Frame): string {
  const name = opcodes[frame.opcode] ?? String(frame.opcode);
  if ((frame.flags & frameFlag.message) !== 0) return `${name}, unpacked`;
  const notes = [(frame.flags & frameFlag.rsv1) !== 0 ? "deflate" : "", (frame.flags & frameFlag.fin) === 0 ? "more" : ""];
  return [name, ...notes.filter(Boolean)].join(", ");
}

export function line(frame: Frame): HTMLLIElement {
  const out = (frame.flags & frameFlag.out) !== 0;
  const arrow = make("span", "arrow", out ? "\u2193" : "\u2191");
  arrow.title = out ? "to the peer" : "from the peer";
  return make("li", out ? "down" : "up",
    make("time", "", format.instant(new Date(frame.time_us / 1000))), arrow,
    make("span", "kind", kind(frame)), make("span", "size", format.bytes(frame.len)),
    make("code", "", payload(frame)));
}

export function gap(lost: number): HTMLLIElement {
  return make("li", "gap", `${format.count(lost, "frame")} not shown: this page was too slow`);
}
