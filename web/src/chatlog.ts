/** Chat log: the lines of a room, one's own apart from the others', and lines not yet confirmed. */

import { make } from "./dom.js";
import * as format from "./format.js";
import { hue } from "./hue.js";
import type { Scroller } from "./scroller.js";

export class ChatLog {
  readonly #scroller: Scroller;
  readonly #resend: (text: string) => boolean;
  readonly #pending: { text: string; line: HTMLElement }[] = [];

  constructor(scroller: Scroller, resend: (text: string) => boolean) {
    this.#scroller = scroller;
    this.#resend = resend;
  }

  note(text: string): void {
    this.#scroller.append(make("div", "note", make("span", "", text), stamp(Date.now())));
  }

  theirs(name: string, text: string, time: number): void {
    const author = make("b", "author", name);
    author.dataset["hue"] = hue(name);
    this.#scroller.append(make("div", "theirs", make("div", "by", author, stamp(time)), make("p", "", text)));
  }

  /** Shows one's own line at once; the server's copy of it confirms it. */
  own(text: string): void {
    const line = make("div", "own pending", make("div", "by", make("span", "fate", "sending")), make("p", "", text));
    this.#pending.push({ text, line });
    this.#scroller.append(line);
    this.#scroller.follow();
  }

  /** The server's copy of one's own line. Not found among the pending: said from elsewhere. */
  confirm(text: string, time: number): void {
    const at = this.#pending.findIndex((entry) => entry.text === text);
    const [found] = at < 0 ? [] : this.#pending.splice(at, 1);
    const line = found?.line ?? make("div", "own", make("div", "by"), make("p", "", text));
    line.className = "own";
    line.firstElementChild?.replaceChildren(stamp(time));
    this.#scroller.append(line); // to where the server put it, the same place for everyone
  }

  /** What was under way at a loss may be lost: say so, and let the author decide. */
  lose(): void {
    for (const { text, line } of this.#pending.splice(0)) {
      line.className = "own lost";
      line.firstElementChild?.replaceChildren(make("span", "fate", "not confirmed"), this.#again(text, line));
    }
  }

  #again(text: string, line: HTMLElement): HTMLButtonElement {
    const button = make("button", "quiet", "Send again");
    button.type = "button";
    button.addEventListener("click", () => {
      if (this.#resend(text)) line.remove();
    });
    return button;
  }
}

function stamp(time: number): HTMLElement {
  return make("time", "stamp", format.hour(new Date(time)));
}
