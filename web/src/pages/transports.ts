/** Transports: what carries this page, switches to cut it, and a count that shows whether anything is lost. */

import type { Transport } from "../../client/coho.js";
import { Breakers, type Breakable } from "../breakers.js";
import { fillHost } from "../commands.js";
import { Counter } from "../counter.js";
import { find, make } from "../dom.js";
import * as format from "../format.js";
import { Hub, hurry, transportNames } from "../hub.js";
import { Pill } from "../pill.js";
import { newId } from "../room.js";
import { Scroller } from "../scroller.js";
import { Strip } from "../strip.js";

const publishMs = 100;
/** So many may be under way; coho.js keeps a thousand. */
const mostUnderWay = 900;
const timesKept = 51;
const sound = "Each exactly once, in order";

const breakers = new Breakers((what) => tell(`${transportNames[what]} tried: does not get through.`));
const hub = new Hub("t/", { WebSocket: breakers.WebSocket, fetch: breakers.fetch });
const client = hub.open();
const topic = `transports/${newId()}`;
const counter = new Counter();
const strip = new Strip(find("strip", HTMLElement));
const scroller = new Scroller(find("events", HTMLElement), find("unread", HTMLButtonElement));
const pause = find("pause", HTMLButtonElement);

/** When each number was published that has not come back. */
const departed = new Map<number, number>();
const times: number[] = [];
let published = 0;
let refused = 0;
let gaps = 0;
let lostAt: number | null = null;
let fresh = false;
let publishing = true;
let carrier: Transport | "" = "";

function tell(text: string, kind = ""): void {
  const stamp = make("time", "stamp", format.instant(new Date()));
  scroller.append(make("div", `event ${kind}`, make("div", "head", stamp, make("span", "detail", text))));
}

function publish(): void {
  if (!publishing || departed.size >= mostUnderWay) return;
  const n = ++published;
  departed.set(n, performance.now());
  client.publish(topic, String(n)).catch(() => {
    refused++;
    departed.delete(n);
  });
}

function miss(n: number): void {
  strip.add(n, "missing");
  departed.delete(n);
}

function take(data: string | Uint8Array): void {
  const n = Number(data);
  if (!Number.isInteger(n) || n < 1 || n > published) return; // none of ours
  const arrival = counter.take(n, miss);
  if (arrival === "next") strip.add(n, carrier);
  if (arrival === "late") strip.mend(n, carrier);
  if (arrival === "again") tell(`${n} came a second time.`, "bad");
  const since = departed.get(n);
  if (since !== undefined) times.push(performance.now() - since);
  if (times.length > timesKept) times.shift();
  departed.delete(n);
  if (!fresh) return;
  fresh = false;
  const missing = counter.missing.size;
  tell(`The count goes on with ${format.number(n)}, ${missing === 0 ? "nothing missing" : `${format.number(missing)} missing`}.`, missing === 0 ? "good" : "bad");
}

function opened(): void {
  if (client.transport === carrier && lostAt === null) return;
  const away = lostAt === null ? "" : `, after ${format.milliseconds(Math.round(performance.now() - lostAt))}`;
  tell(`${client.transport ? transportNames[client.transport] : ""} carries the page${away}.`);
  carrier = client.transport;
  lostAt = null;
  fresh = published > 0;
  mark();
}

function lost(why: string): void {
  if (lostAt === null) {
    lostAt = performance.now();
    tell(`${carrier ? transportNames[carrier] : "Connection"} lost: ${why}.`);
  }
  mark();
}

function mark(): void {
  for (const item of document.querySelectorAll<HTMLElement>("[data-transport]")) {
    const name = item.dataset["transport"] as Transport;
    const off = name !== "poll" && breakers.isOff(name);
    const used = lostAt === null && name === carrier;
    item.dataset["use"] = used ? "yes" : off ? "off" : "no";
    item.querySelector(".state")?.replaceChildren(used ? "carries this page" : off ? "does not get through" : "in reserve");
  }
}

function toggle(what: Breakable, button: HTMLButtonElement): void {
  const on = breakers.isOff(what);
  tell(`You switched ${transportNames[what]} ${on ? "on" : "off"}.`);
  button.setAttribute("aria-checked", String(on));
  breakers.set(what, on);
  mark();
  if (on) hurry(); // coho.js would find out by itself, some time later
}

function show(): void {
  const median = [...times].sort((a, b) => a - b)[Math.floor(times.length / 2)];
  const values: Record<string, string> = {
    published: format.number(published),
    received: format.number(counter.received),
    duplicates: format.number(counter.duplicates),
    missing: format.number(counter.missing.size),
    late: format.number(counter.late),
    gaps: format.number(gaps),
    waiting: format.number(departed.size),
    delay: median === undefined ? "\u2013" : format.milliseconds(median),
  };
  for (const [id, value] of Object.entries(values)) {
    const element = find(id, HTMLElement);
    if (element.textContent !== value) element.textContent = value;
  }
  const words = judge();
  const verdict = find("verdict", HTMLElement);
  verdict.dataset["sound"] = String(words === sound);
  if (verdict.textContent !== words) verdict.textContent = words;
}

/** What is lost and told is one thing, what is lost in silence another. */
function judge(): string {
  const missing = counter.missing.size + refused;
  if (counter.duplicates + counter.late > 0 || (missing > 0 && gaps + refused === 0)) return "Not each exactly once, in order";
  return gaps + refused > 0 ? `In order; ${format.number(missing)} missing, as told` : sound;
}

client.addEventListener("open", opened);
client.addEventListener("error", ({ error, topic: refusedTopic }) => lost(`${refusedTopic ?? ""} ${error.message}`.trim().replace(/^\d+$/, "close code $&")));
client.addEventListener("gap", ({ lost: count }) => {
  gaps++;
  tell(count === null ? "Gap: the server knows no history before this; what was lost nobody knows." : `Gap: ${format.count(count, "message")} lost.`, "bad");
});
client.subscribe(topic, ({ data }) => take(data), { since: "0" });
for (const what of ["websocket", "sse"] as const) {
  const button = find(`switch-${what}`, HTMLButtonElement);
  button.addEventListener("click", () => toggle(what, button));
}
pause.addEventListener("click", () => {
  publishing = !publishing;
  pause.textContent = publishing ? "Pause" : "Go on";
});
find("topic", HTMLElement).textContent = `curl -N http://HOST/t/${topic}`;
setInterval(publish, publishMs);
setInterval(show, publishMs);
new Pill(hub);
fillHost();
mark();
