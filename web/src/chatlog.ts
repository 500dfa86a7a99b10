/** Chat log: the lines of a room, one's own apart from the others', and those that are still under way. */

import { make } from "./dom.js";
import * as format from "./format.js";
import { hue } from "./hue.js";
import type { ChatLine } from "./protocol.js";
import type { Scroller } from "./scroller.js";

const copiesAwaited = 200;
const longCharacters = 900;
const longLines = 12;

export class ChatLog {
  readonly #scroller: Scroller;
  /** What the hub does not have yet, as far as is known. */
  readonly #pending = new Map<string, HTMLElement>();
  /** What it has; its copy will come, unless that is lost. */
  readonly #sent = new Map<string, HTMLElement>();
  #connected = true;

  constructor(scroller: Scroller) {
    this.#scroller = scroller;
  }

  /** How many of one's own lines the hub does not have yet. */
  get pending(): number {
    return this.#pending.size;
  }

  clear(): void {
    this.#pending.clear();
    this.#sent.clear();
    this.#scroller.clear();
  }

  note(...content: (string | Node)[]): void {
    this.#scroller.append(make("div", "note", make("span", "", ...content), stamp(Date.now())));
  }

  gap(text: string): void {
    this.#scroller.append(make("div", "note gap", make("span", "", text), stamp(Date.now())));
  }

  theirs({ name, text, time }: ChatLine): void {
    const author = make("bdi", "author", name);
    author.dataset["hue"] = hue(name);
    this.#scroller.append(make("div", "theirs", make("div", "by", author, stamp(time)), ...body(text)));
  }

  /** Shows one's own line at once; the hub's copy of it confirms it. */
  own({ id, text }: ChatLine): void {
    const line = make("div", "own pending", make("div", "by"), ...body(text));
    this.#pending.set(id, line);
    this.#fate(line);
    this.#scroller.append(line);
    this.#scroller.follow();
  }

  /** One's own line came back. Not found among the pending: said before, or from elsewhere. */
  confirm(said: ChatLine): void {
    const line = this.#pending.get(said.id) ?? this.#sent.get(said.id) ?? make("div", "own", make("div", "by"), ...body(said.text));
    this.#settle(said.id, line, stamp(said.time));
    this.#sent.delete(said.id);
    this.#scroller.append(line); // to where the hub put it, the same place for everyone
  }

  /** The hub has it, though it did not come back yet. */
  sent({ id, time }: ChatLine): void {
    const line = this.#pending.get(id);
    if (!line) return;
    this.#settle(id, line, stamp(time));
    this.#sent.set(id, line);
    for (const oldest of this.#sent.keys()) {
      if (this.#sent.size <= copiesAwaited) break;
      this.#sent.delete(oldest);
    }
  }

  /** It will not be sent any more: say why, and let the author decide. */
  fail({ id }: ChatLine, why: string, again: () => void): void {
    const line = this.#pending.get(id);
    if (!line) return;
    const button = make("button", "quiet", "Send again");
    button.type = "button";
    button.addEventListener("click", () => {
      line.remove();
      again();
    });
    this.#settle(id, line, make("span", "fate", why), button);
    line.className = "own lost";
  }

  set connected(connected: boolean) {
    this.#connected = connected;
    for (const line of this.#pending.values()) this.#fate(line);
  }

  #settle(id: string, line: HTMLElement, ...by: HTMLElement[]): void {
    this.#pending.delete(id);
    line.className = "own";
    line.firstElementChild?.replaceChildren(...by);
  }

  #fate(line: HTMLElement): void {
    const fate = make("span", "fate", this.#connected ? "sending" : "waits for the connection");
    line.firstElementChild?.replaceChildren(fate);
  }
}

/** What is too long for one look is shown in part, with a button for the rest. */
function body(text: string): HTMLElement[] {
  const words = make("p", "", text);
  words.dir = "auto";
  if (text.length <= longCharacters && text.split("\n", longLines + 1).length <= longLines) return [words];
  const more = make("button", "quiet", "Show all");
  more.type = "button";
  words.className = "long";
  more.setAttribute("aria-expanded", "false");
  more.addEventListener("click", () => {
    const long = words.classList.toggle("long");
    more.textContent = long ? "Show all" : "Show less";
    more.setAttribute("aria-expanded", String(!long));
  });
  return [words, more];
}

function stamp(time: number): HTMLElement {
  return make("time", "stamp", format.hour(new Date(time)));
}
