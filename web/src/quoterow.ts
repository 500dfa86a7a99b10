/** Quote row: one symbol in the table, its price, its trend and its button. */

import { make } from "./dom.js";
import * as format from "./format.js";
import type { Company } from "./protocol.js";
import { Sparkline } from "./sparkline.js";
import type { Column } from "./timeline.js";

export interface QuoteRowEvents {
  toggleSubscription: () => void;
  toggleLine: () => void;
}

const flashes = [{ backgroundColor: "var(--flash)" }, { backgroundColor: "transparent" }];
const flashMs = 700;
const calm = matchMedia("(prefers-reduced-motion: reduce)");

export class QuoteRow {
  readonly element = make("tr", "quote");
  /** Until the first one comes, that of the open. */
  price: number;

  readonly #open: number;
  readonly #symbol: string;
  readonly #price = make("span", "price");
  readonly #change = make("td", "num change");
  readonly #subscription = make("button", "toggle");
  readonly #swatch = make("button", "swatch");
  readonly #trend: Sparkline;
  #known = false;

  constructor(company: Company, colourProperty: string, events: QuoteRowEvents) {
    this.#symbol = company.symbol;
    this.#open = company.open;
    this.price = company.open;
    this.#trend = new Sparkline(colourProperty, 110, 26);
    this.element.dataset["symbol"] = company.symbol;
    this.element.style.setProperty("--series", `var(${colourProperty})`);
    this.#swatch.type = this.#subscription.type = "button";
    this.#swatch.setAttribute("aria-label", `Line of ${company.symbol} in the chart`);
    this.#swatch.addEventListener("click", events.toggleLine);
    this.#subscription.addEventListener("click", events.toggleSubscription);
    const names = make("span", "names", make("b", "", company.symbol), make("small", "", company.name));
    const head = make("th", "", make("div", "symbol", this.#swatch, names));
    head.scope = "row";
    this.element.append(head, make("td", "num", this.#price), this.#change,
      make("td", "trend", this.#trend.canvas), make("td", "act", this.#subscription));
    this.#showPrice();
  }

  /** Change since the open, in per cent. */
  get change(): number {
    return (this.price / this.#open - 1) * 100;
  }

  move(price: number): void {
    const direction = this.#known ? Math.sign(price - this.price) : 0;
    this.#known = true;
    this.price = price;
    this.#showPrice();
    if (direction === 0 || calm.matches) return;
    this.#price.style.setProperty("--flash", `var(${direction > 0 ? "--gain-wash" : "--loss-wash"})`);
    this.#price.animate(flashes, { duration: flashMs, easing: "ease-out" });
  }

  /** The button follows what the visitor wants, the row what the server has confirmed. */
  mark(wanted: boolean, subscribed: boolean, drawn: boolean): void {
    this.element.classList.toggle("subscribed", subscribed);
    this.#subscription.textContent = wanted ? "Unsubscribe" : "Subscribe";
    this.#subscription.dataset["short"] = wanted ? "\u2212" : "+"; // where there is no room for the word
    this.#subscription.setAttribute("aria-label", `${wanted ? "Unsubscribe from" : "Subscribe to"} ${this.#symbol}`);
    this.#swatch.setAttribute("aria-pressed", String(drawn));
    this.#swatch.disabled = !subscribed;
  }

  drawTrend(values: Column): void {
    this.#trend.draw(values);
  }

  #showPrice(): void {
    this.#price.textContent = this.#known ? this.price.toFixed(2) : "\u2013";
    this.#change.textContent = this.#known ? format.signedPercent(this.change) : "";
    this.#change.dataset["sign"] = this.change < 0 ? "loss" : "gain";
  }
}
