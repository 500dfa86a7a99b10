/**
 * Scroller: a list that follows its end, but only while its reader is there.
 * Who has scrolled up stays where they are and is told how much is new below.
 */

import { count } from "./format.js";

const nearPx = 40;

export class Scroller {
  readonly #list: HTMLElement;
  readonly #button: HTMLButtonElement;
  readonly #limit: number;
  #unseen = 0;
  #following = true;
  #soon = false;

  constructor(list: HTMLElement, button: HTMLButtonElement, limit = 500) {
    this.#list = list;
    this.#button = button;
    this.#limit = limit;
    list.addEventListener("scroll", () => this.#look(), { passive: true });
    button.addEventListener("click", () => this.follow());
    new ResizeObserver(() => {
      if (this.#following) this.follow();
    }).observe(list);
  }

  append(entry: HTMLElement): void {
    this.#list.append(entry);
    while (this.#list.childElementCount > this.#limit) this.#list.firstElementChild?.remove();
    if (this.#following) this.#followSoon();
    else this.#tell(this.#unseen + 1);
  }

  /** Once for all that comes before the next picture, as a history does. */
  #followSoon(): void {
    if (this.#soon) return;
    this.#soon = true;
    requestAnimationFrame(() => {
      this.#soon = false;
      if (this.#following) this.follow();
    });
  }

  follow(): void {
    this.#following = true;
    this.#list.scrollTop = this.#list.scrollHeight;
    this.#tell(0);
  }

  clear(): void {
    this.#list.replaceChildren();
    this.follow();
  }

  #look(): void {
    if (this.#soon) return; // what was appended is not its reader's doing
    const { scrollTop, clientHeight, scrollHeight } = this.#list;
    this.#following = scrollTop + clientHeight >= scrollHeight - nearPx;
    if (this.#following) this.#tell(0);
  }

  #tell(unseen: number): void {
    this.#unseen = unseen;
    this.#button.hidden = unseen === 0;
    this.#button.textContent = `${count(unseen, "new line")} below`;
  }
}
