/** Members: who is in the room, in the order of their names. */

import { find, make } from "./dom.js";
import { hue } from "./hue.js";
import type { Member } from "./room.js";

const mostShown = 200;

export class Members {
  readonly #list = find("members", HTMLElement);
  readonly #count = find("member-count", HTMLElement);

  show(all: Member[], own: string): void {
    const sorted = [...all].sort((a, b) => a.name.localeCompare(b.name));
    const shown = sorted.slice(0, mostShown).map((member) => entry(member, own));
    const more = all.length - mostShown;
    if (more > 0) shown.push(make("li", "more", `and ${more} more`));
    this.#count.textContent = String(all.length);
    this.#list.replaceChildren(...shown);
  }
}

function entry({ id, name }: Member, own: string): HTMLElement {
  const item = make("li", "member", make("bdi", "", name));
  item.dataset["hue"] = hue(name);
  if (id === own) item.append(make("small", "", " you"));
  return item;
}
