/**
 * Slow client: one that asks only every few seconds, by long poll without waiting, for what came since.
 * It shows what becomes of it: of the topic that has every change the hub holds only the last ones, and
 * says how many are gone; of a topic that conflates the latest price is all there is to say.
 */

import type { Coho, CohoSubscription } from "../client/coho.js";
import { find, make } from "./dom.js";
import * as format from "./format.js";
import { parse, type Quote } from "./protocol.js";

const every = "ticks";
const linesKept = 50;

/** A frame of coho.json.v1, as far as it is of use here. */
interface Frame {
  op?: string;
  topic?: string;
  pos?: string;
  data?: string;
  lost?: number | null;
}

interface View {
  received: number;
  lost: number;
  price: number | null;
  /** Messages of the company. */
  prices: number;
}

const nothing = (): View => ({ received: 0, lost: 0, price: null, prices: 0 });

export class SlowClient {
  readonly #client: Coho;
  readonly #switch = find("slow", HTMLButtonElement);
  readonly #pause = find("slow-pause", HTMLSelectElement);
  readonly #said = find("slow-said", HTMLElement);
  readonly #positions = new Map<string, string>();
  readonly #follows: CohoSubscription[] = [];
  #symbol = "";
  #live = nothing();
  #slow = nothing();
  #timer = 0;
  #running: AbortController | null = null;

  constructor(client: Coho) {
    this.#client = client;
    this.#switch.addEventListener("click", () => (this.#running ? this.#stop() : this.#start()));
    this.#pause.addEventListener("change", () => {
      if (this.#running) this.#again(this.#running);
    });
    client.addEventListener("gap", ({ topic, lost }) => {
      if (topic !== every || !this.#running) return;
      this.#live.lost += lost ?? 0;
      this.#show();
    });
  }

  /** Whose price is compared. */
  about(symbol: string): void {
    if (this.#running) this.#stop();
    this.#symbol = symbol;
    this.#switch.disabled = false;
    for (const name of document.querySelectorAll(".slow-symbol")) name.textContent = symbol;
  }

  get #company(): string {
    return `stocks/${this.#symbol}`;
  }

  #start(): void {
    this.#live = nothing();
    this.#slow = nothing();
    this.#positions.clear();
    this.#said.replaceChildren();
    this.#running = new AbortController();
    this.#follows.push(
      this.#client.subscribe(every, () => {
        this.#live.received++;
        this.#show();
      }),
      this.#client.subscribe(this.#company, ({ data }) => this.#take(this.#live, parse<Quote>(data)), { since: "0" }),
    );
    this.#mark(true);
    void this.#ask(this.#running);
  }

  #stop(): void {
    clearTimeout(this.#timer);
    this.#running?.abort();
    this.#running = null;
    for (const follow of this.#follows.splice(0)) follow.unsubscribe();
    this.#mark(false);
  }

  #mark(on: boolean): void {
    this.#switch.setAttribute("aria-checked", String(on));
    find("slow-view", HTMLElement).hidden = !on;
    this.#show();
  }

  #take(view: View, quote: Quote | null): void {
    view.prices++;
    view.price = quote?.price ?? view.price;
    this.#show();
  }

  #again(running: AbortController): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#ask(running), Number(this.#pause.value) * 1000);
  }

  async #ask(running: AbortController): Promise<void> {
    const subs = [every, this.#company].map((topic) => {
      const since = this.#positions.get(topic);
      return `sub=${topic}${since ? `@${since}` : ""}`;
    });
    try {
      const answer = await fetch(`live/?${subs.join("&")}&wait=0`, { signal: running.signal });
      if (!answer.ok) throw new Error(`answered ${answer.status}`);
      this.#report(((await answer.json()) as { frames: Frame[] }).frames);
    } catch (error) {
      if (running.signal.aborted) return;
      this.#say(`No answer: ${error instanceof Error ? error.message : String(error)}.`);
    }
    this.#again(running);
  }

  #report(frames: Frame[]): void {
    const first = this.#positions.size === 0;
    const before = { ...this.#slow };
    let unknown = false;
    for (const { op, topic = "", pos, data, lost } of frames) {
      if (pos) this.#positions.set(topic, pos);
      if (op === "gap" && topic === every) {
        unknown ||= lost === null;
        this.#slow.lost += lost ?? 0;
      }
      if (op !== undefined || data === undefined) continue;
      if (topic === every) this.#slow.received++;
      else this.#take(this.#slow, parse<Quote>(data));
    }
    this.#show();
    if (!first) this.#tell(this.#slow.received - before.received, this.#slow.lost - before.lost, unknown);
  }

  #tell(received: number, lost: number, unknown: boolean): void {
    const got = `Asked again: ${format.count(received, "change")}`;
    if (unknown) this.#say(`${got}, and a gap: an unknown number lost`, true);
    else if (lost > 0) this.#say(`${got}, and a gap: ${format.number(lost)} lost`, true);
    else this.#say(`${got}, none lost`);
  }

  #say(text: string, gap = false): void {
    this.#said.prepend(make("li", gap ? "gap" : "", make("time", "stamp", format.hour(new Date(), true)), ` ${text}`));
    while (this.#said.childElementCount > linesKept) this.#said.lastElementChild?.remove();
  }

  #show(): void {
    const cell = (id: string, text: string): void => {
      const element = find(id, HTMLElement);
      if (element.textContent !== text) element.textContent = text;
    };
    for (const [name, view] of [["live", this.#live], ["slow", this.#slow]] as const) {
      cell(`${name}-received`, format.number(view.received));
      cell(`${name}-lost`, format.number(view.lost));
      cell(`${name}-price`, view.price === null ? "\u2013" : view.price.toFixed(2));
      cell(`${name}-prices`, format.count(view.prices, "message"));
    }
    find("slow-lost", HTMLElement).dataset["some"] = String(this.#slow.lost > 0);
  }
}
