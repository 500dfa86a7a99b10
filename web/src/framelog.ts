/** Frame log: what went up and what came down, one entry per message or event. */

import { make } from "./dom.js";
import * as format from "./format.js";
import { preview, sizeOf } from "./payload.js";
import type { Scroller } from "./scroller.js";

export type Direction = "up" | "down";

const arrows = { up: "\u2191", down: "\u2193" };
const words = { up: "sent", down: "received" };

export class FrameLog {
  readonly #scroller: Scroller;

  constructor(scroller: Scroller) {
    this.#scroller = scroller;
  }

  message(direction: Direction, data: string | ArrayBuffer, roundTripMs: number | null = null): void {
    const isText = typeof data === "string";
    const head = make("div", "head", ...this.#head(direction),
      make("span", "type", isText ? "text" : "binary"),
      make("span", "size", format.bytes(sizeOf(data))),
      make("span", "time", roundTripMs === null ? "" : format.milliseconds(roundTripMs)));
    const body = make("pre", isText ? "body" : "body hex", preview(data));
    this.#scroller.append(make("div", direction, head, body));
  }

  event(name: string, detail: string): void {
    const head = make("div", "head", stamp(), make("b", "name", name), make("span", "detail", detail));
    this.#scroller.append(make("div", "event", head));
  }

  #head(direction: Direction): Node[] {
    const arrow = make("span", "arrow", arrows[direction]);
    arrow.setAttribute("aria-hidden", "true");
    return [stamp(), make("span", "direction", arrow, ` ${words[direction]}`)];
  }
}

function stamp(): HTMLElement {
  return make("time", "stamp", format.instant(new Date()));
}
