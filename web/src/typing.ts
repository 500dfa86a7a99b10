/** Typing: who writes at this moment, said below the conversation; and saying so oneself, but not too often. */

import type { Member } from "./room.js";

/** Somebody who says nothing more for so long has stopped. */
const lifeMs = 5_000;
const sayEveryMs = 2_500;
const mostNamed = 3;
const mostKept = 100;

export class Typing {
  readonly #element: HTMLElement;
  readonly #typists = new Map<string, { name: string; timer: number }>();
  #said = -Infinity;

  constructor(element: HTMLElement) {
    this.#element = element;
  }

  saw({ id, name }: Member): void {
    clearTimeout(this.#typists.get(id)?.timer);
    if (!this.#typists.has(id) && this.#typists.size >= mostKept) return;
    this.#typists.set(id, { name, timer: setTimeout(() => this.stopped(id), lifeMs) });
    this.#show();
  }

  /** They have sent it, or left, or thought better of it. */
  stopped(id: string): void {
    clearTimeout(this.#typists.get(id)?.timer);
    if (this.#typists.delete(id)) this.#show();
  }

  nobody(): void {
    for (const { timer } of this.#typists.values()) clearTimeout(timer);
    this.#typists.clear();
    this.#show();
  }

  /** Whether it is time to say so again. */
  due(): boolean {
    const now = performance.now();
    if (now - this.#said < sayEveryMs) return false;
    this.#said = now;
    return true;
  }

  /** What was typed is sent: the next word is news. */
  sent(): void {
    this.#said = -Infinity;
  }

  #show(): void {
    const names = [...this.#typists.values()].map(({ name }) => name);
    const others = names.length - mostNamed;
    const who = others > 0 ? [...names.slice(0, mostNamed), `${others} more`] : names;
    const list = new Intl.ListFormat("en").format(who);
    this.#element.textContent = who.length === 0 ? "" : `${list} ${who.length === 1 ? "is" : "are"} typing\u2026`;
  }
}
