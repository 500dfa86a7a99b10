// What the tests share: a client that writes down what it is told, and a hub that goes away after the test.

import assert from "node:assert/strict";
import { WebSocket } from "ws";
import { bundled } from "./bundle.js";
import { Clock, FastClock, pass, until } from "./clock.js";
import { FakeHub } from "./fake-hub.js";
import { RealHub } from "./real-hub.js";

/** That of the bundle: it is what people get. */
const { Coho } = await bundled();

export { assert, Clock, Coho, FastClock, pass, until, WebSocket };

/** Listeners for what the browser says: Node has no window. */
const browser = new EventTarget();
globalThis.addEventListener ??= browser.addEventListener.bind(browser);

/** As if the browser said it. */
export function browserSays(type) {
  const target = globalThis.dispatchEvent ? globalThis : browser;
  target.dispatchEvent(new Event(type));
}

let networks = 0;

/** Each test is a network of its own: what another found out is not remembered. */
export function newNetwork() {
  Object.defineProperty(globalThis, "navigator", {
    value: { connection: { type: `network ${networks++}` } },
    configurable: true,
    writable: true,
  });
}

/** A client, with everything that it told: `log`, `data`, `gaps`, `errors`. */
export function follow(t, url, clock, options = {}) {
  const told = { log: [], data: [], gaps: [], errors: [], opened: [] };
  const client = new Coho(url, { WebSocket, timers: clock, ...options });
  client.addEventListener("open", () => {
    told.opened.push(client.transport);
    told.log.push(`open ${client.transport}`);
  });
  client.addEventListener("message", ({ topic, data, pos }) => {
    told.data.push(data);
    told.log.push(`message ${topic} ${pos} ${data}`);
  });
  client.addEventListener("gap", ({ topic, lost, pos }) => {
    told.gaps.push({ topic, lost, pos });
    told.log.push(`gap ${topic} ${lost}`);
  });
  client.addEventListener("error", ({ error, topic }) => {
    told.errors.push(topic ? `${topic} ${error.code}` : error.code);
    told.log.push(`error ${topic} ${error.code}`);
  });
  client.addEventListener("close", ({ code }) => told.log.push(`close ${code}`));
  t.after(() => client.close());
  return Object.assign(told, { client, clock });
}

const classes = { fake: FakeHub, real: RealHub };
export const hubs = Object.keys(classes);

/** A hub that ends with the test, which fails if the client broke the wire form. */
export async function startHub(t, { kind = "fake", clock = new Clock(), ...options } = {}) {
  newNetwork();
  const hub = await classes[kind].start({ ...options, clock });
  t.after(async () => {
    await hub.stop();
    assert.deepEqual(hub.violations ?? [], []);
  });
  return { hub, clock };
}

/** A hub, and a client of it; with `may`, one that may follow and publish these topics only. With
 * `transports`, WebSocket is refused, so that it is the second of them. */
export async function beginAt(t, { kind = "fake", transports, may, faults, ...options } = {}) {
  const { hub, clock } = await startHub(t, { kind, auth: may !== undefined && kind === "real" });
  if (transports) hub.faults.websocket = "refuse";
  Object.assign(hub.faults, faults);
  if (may && kind === "real") options.token = hub.token({ sub: may, pub: may });
  else if (may) hub.faults.refuse = (what, topic) => (topic && !may.includes(topic) ? { code: "forbidden" } : undefined);
  const told = follow(t, hub.url, clock, { transports, ...options });
  return { hub, clock, told, client: told.client };
}

/** Each hub by each transport: its name, and how a test begins. */
export function ways(kinds = hubs) {
  return kinds.flatMap((kind) => Object.entries(through).map(([transport, transports]) => ({
    way: `${kind} hub, ${transport}`,
    transport,
    begin: (t, options) => beginAt(t, { kind, transports, ...options }),
  })));
}

export const numbers = (from, to) => Array.from({ length: to - from + 1 }, (_, i) => String(from + i));

/** By which transports a client may try, when WebSocket is refused, so that it uses this one. */
export const through = { websocket: undefined, sse: ["websocket", "sse"], poll: ["websocket", "poll"] };

/** Rejections by their code. */
export const codeOf = (promise) => promise.then((value) => value, (error) => error.code);

// The first fetch of a process takes long.
await fetch("http://127.0.0.1:1/").catch(() => {});
