// RealHub: `coho serve` as a child process, behind a network that breaks (Proxy), with what the tests
// of the fake one use to look at it. It is looked at by a connection of its own past the proxy.

import { spawn } from "node:child_process";
import { createHmac, randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { WebSocket } from "ws";
import { dataOf } from "../../web/client/wire.js";
import { Proxy } from "./proxy.js";
import { rules } from "./rules.js";

const program = process.env.COHO ?? fileURLToPath(new URL("../../build/release/coho", import.meta.url));

const base64url = (value) => Buffer.from(value).toString("base64url");

export class RealHub extends Proxy {
  /** Every message that was published, in order, as soon as it is known: {topic, data}. */
  published = [];
  #folder = mkdtempSync(join(tmpdir(), "coho-client-"));
  #secret = randomBytes(48).toString("base64");
  #child;
  #observer;
  #answers = new Map();
  #lastId = 0;

  /** With `auth`, only who has a token may do anything; pages of `origin` may. */
  static async start({ clock, auth = false, origin }) {
    const hub = Object.assign(new RealHub(), { clock });
    const file = (name, text) => (writeFileSync(join(hub.#folder, name), text), join(hub.#folder, name));
    const config = {
      listen: "ws://127.0.0.1:0",
      topics: rules,
      rate: { messages: "1000000/1000000", requests: "none" },
      "drain-code": 1012,
      ...(origin && { origin }),
      ...(auth && { auth: { issuers: [{ "secret-file": file("secret", hub.#secret) }] } }),
    };
    file("config.yaml", JSON.stringify(config));
    await hub.listen();
    try {
      await hub.#spawn();
    } catch (error) {
      await hub.close();
      rmSync(hub.#folder, { recursive: true });
      throw error;
    }
    return hub;
  }

  get url() {
    return `http://127.0.0.1:${this.port}/t/`;
  }

  /** A token for these topics, good for so many seconds. */
  token({ sub = ["#"], pub = ["#"], seconds = 3600 } = {}) {
    const exp = Math.floor(Date.now() / 1000) + seconds;
    const parts = [{ alg: "HS256" }, { exp, coho: { sub, pub } }].map((part) => base64url(JSON.stringify(part)));
    return [...parts, createHmac("sha256", this.#secret).update(parts.join(".")).digest("base64url")].join(".");
  }

  // ---- life ----------------------------------------------------------------------------------------

  async #spawn() {
    this.#child = spawn(program, ["serve", "--config", join(this.#folder, "config.yaml")], { stdio: ["ignore", "pipe", "inherit"] });
    this.#child.on("error", () => {});
    for await (const line of createInterface({ input: this.#child.stdout })) {
      this.target = Number(/:(\d+)\/?$/.exec(line)[1]);
      break;
    }
    if (!this.target) throw new Error(`${program} does not serve`);
    this.#observer = new WebSocket(`ws://127.0.0.1:${this.target}/t/`, "coho.json.v1");
    this.#observer.on("message", (text) => this.#see(JSON.parse(text))).on("error", () => {});
    await once(this.#observer, "open");
    await this.ask({ op: "auth", token: this.token() });
    await this.ask({ op: "sub", pattern: "#" });
  }

  async #end(signal) {
    const { exitCode, signalCode } = this.#child;
    this.target = 0;
    this.activity++;
    if ((exitCode ?? signalCode) !== null) throw new Error(`${program} ended by itself: ${exitCode ?? signalCode}`);
    const exit = once(this.#child, "exit");
    this.#child.kill(signal);
    const [status] = await exit;
    if (signal === "SIGTERM" && status !== 0) throw new Error(`${program} ended with ${status}`);
  }

  /** As a crash: nobody hears a farewell. What the hub knew is gone. */
  async restart(signal = "SIGKILL") {
    await this.#end(signal);
    await this.#spawn();
  }

  /** The network is gone; the hub goes on. */
  async disconnect() {
    this.down = true;
    this.kill();
  }

  async reconnect() {
    this.down = false;
  }

  async stop() {
    await this.close();
    rmSync(this.#folder, { recursive: true });
    await this.#end("SIGTERM");
  }

  // ---- looking -------------------------------------------------------------------------------------

  #see(frame) {
    if (frame.id !== undefined) this.#answers.get(frame.id)?.(frame);
    else if (frame.pattern && !frame.op && !frame.topic.endsWith("/presence")) this.published.push({ topic: frame.topic, data: dataOf(frame) });
    this.#answers.delete(frame.id);
  }

  /** The answer to a frame of coho.json.v1, past the proxy. */
  async ask(frame) {
    const id = ++this.#lastId;
    const answer = await new Promise((resolve) => {
      this.#answers.set(id, resolve);
      this.#observer.send(JSON.stringify({ ...frame, id }));
    });
    if (answer.op === "error") throw Object.assign(new Error(answer.text), answer);
    return answer;
  }

  async publish(topic, data) {
    const body = typeof data === "string" ? { data } : { data64: Buffer.from(data).toString("base64") };
    return (await this.ask({ op: "pub", topic, ...body })).pos;
  }

  async position(topic) {
    return (await this.ask({ op: "history", topic, limit: 1 })).pos;
  }

  async members(topic) {
    return (await this.ask({ op: "presence", topic })).members;
  }

  /** Somebody else follows a topic that may have only one who does. */
  occupy(topic) {
    return this.ask({ op: "sub", topic });
  }

  vacate(topic) {
    return this.ask({ op: "unsub", topic });
  }

  /** Returns when something happened, or when nothing will before time passes: the hub has one thread,
   * which has done all that was to be done when it answers. */
  async rest() {
    const { activity } = this;
    for (let i = 0; i < 4 && this.activity === activity; i++) {
      if (this.target) await this.ask({ op: "ping" });
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  }
}
