/** Load: a little work for the server, made by this page, to see the numbers move. */

import { Connection } from "./connection.js";
import { find } from "./dom.js";
import * as format from "./format.js";

const crowdSize = 10;
const messagesPerBurst = 25;
const burstMs = 50;
const durationMs = 10_000;

export class Load {
  readonly #hint = find("load-hint", HTMLElement);
  readonly #stop = find("load-stop", HTMLButtonElement);
  readonly #crowd = Array.from({ length: crowdSize }, () => new Connection("echo"));
  readonly #speaker = new Connection("echo");
  #burst = 0;
  #end = 0;
  #echoed = 0;

  constructor() {
    find("load-connections", HTMLButtonElement).addEventListener("click", () => this.#gather());
    find("load-messages", HTMLButtonElement).addEventListener("click", () => this.#speak());
    this.#stop.addEventListener("click", () => this.#halt());
    this.#speaker.addEventListener("message", () => this.#echoed++);
  }

  #gather(): void {
    for (const connection of this.#crowd) connection.open();
    this.#stop.disabled = false;
    this.#hint.textContent = `${format.count(crowdSize, "connection")} to /echo held open.`;
  }

  #speak(): void {
    clearInterval(this.#burst);
    clearTimeout(this.#end);
    this.#echoed = 0;
    this.#speaker.open();
    this.#burst = setInterval(() => this.#sendBurst(), burstMs);
    this.#end = setTimeout(() => this.#hush(), durationMs);
    this.#stop.disabled = false;
  }

  #sendBurst(): void {
    for (let i = 0; i < messagesPerBurst; i++) this.#speaker.send("upstream and down again");
    this.#hint.textContent = `${format.count(this.#echoed, "echo", "echoes")} back.`;
  }

  #hush(): void {
    clearInterval(this.#burst);
    clearTimeout(this.#end);
    this.#speaker.close();
  }

  #halt(): void {
    this.#hush();
    for (const connection of this.#crowd) connection.close();
    this.#stop.disabled = true;
    this.#hint.textContent = "";
  }
}
