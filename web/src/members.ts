/** Members: who is in the room, in the order of their names. */

import { find, make } from "./dom.js";
import { hue } from "./hue.js";

export class Members {
  readonly #list = find("members", HTMLElement);
  readonly #count = find("member-count", HTMLElement);
  readonly #names = new Set<string>();
  #own = "";

  welcome(own: string, names: string[]): void {
    this.#own = own;
    this.#names.clear();
    for (const name of names) this.#names.add(name);
    this.#show();
  }

  join(name: string): void {
    this.#names.add(name);
    this.#show();
  }

  leave(name: string): void {
    this.#names.delete(name);
    this.#show();
  }

  #show(): void {
    this.#count.textContent = String(this.#names.size);
    const sorted = [...this.#names].sort((a, b) => a.localeCompare(b));
    this.#list.replaceChildren(...sorted.map((name) => this.#entry(name)));
  }

  #entry(name: string): HTMLElement {
    const entry = make("li", "member", name);
    entry.dataset["hue"] = hue(name);
    if (name === this.#own) entry.append(make("small", "", " you"));
    return entry;
  }
}
