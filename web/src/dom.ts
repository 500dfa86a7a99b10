/** Dom: finding what a page has, and making what it lacks. Text goes in as text, never as markup. */

export function find<T extends HTMLElement>(id: string, type: new () => T): T {
  const found = document.getElementById(id);
  if (!(found instanceof type)) throw new Error(`#${id} is not a ${type.name}`);
  return found;
}

export function make<K extends keyof HTMLElementTagNameMap>(
  tag: K, className: string, ...content: (string | Node)[]): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  element.className = className;
  element.append(...content);
  return element;
}

const colours = new Map<string, string>();
document.addEventListener("themechange", () => colours.clear());

/** A custom property of the style sheet as a colour that a canvas understands. */
export function colour(property: string): string {
  const known = colours.get(property);
  if (known !== undefined) return known;
  const probe = make("span", "unseen");
  probe.style.color = `var(${property})`;
  document.body.append(probe);
  const value = getComputedStyle(probe).color;
  probe.remove();
  colours.set(property, value);
  return value;
}
