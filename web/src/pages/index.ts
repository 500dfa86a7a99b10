/** Start page: what coho is, with a small sign of life from each demo. */

import { fillCommands } from "../commands.js";
import { Connection } from "../connection.js";
import { find } from "../dom.js";
import * as format from "../format.js";
import { Hub, transportNames } from "../hub.js";
import { Pill } from "../pill.js";
import { parse, type Quote, type Sample } from "../protocol.js";
import { RoundTrip } from "../roundtrip.js";

const pingMs = 2_000;
const symbol = "COHO";

function sign(id: string, text: string): void {
  find(id, HTMLElement).textContent = text;
}

function showSample(sample: Sample): void {
  sign("sign-chat", format.count(sample.connections, "connection"));
  sign("sign-stats", format.bytes(sample.rss_bytes));
  sign("sign-stats-uptime", `in memory, up ${format.duration(sample.uptime_s)}`);
}

function showPrice({ price, open }: Quote): void {
  sign("sign-stocks", price.toFixed(2));
  sign("sign-stocks-change", `${symbol} ${format.signedPercent((price / open - 1) * 100)} today`);
}

function watchTopics(): void {
  const hub = new Hub("live/");
  new Pill(hub);
  const client = hub.open();
  client.addEventListener("open", () => {
    if (client.transport) sign("sign-transports", transportNames[client.transport]);
  });
  client.subscribe("stats", ({ data }) => {
    const sample = parse<Sample>(data);
    if (sample) showSample(sample);
  }, { since: "0" });
  client.subscribe(`stocks/${symbol}`, ({ data }) => {
    const quote = parse<Quote>(data);
    if (quote) showPrice(quote);
  }, { since: "0" });
}

/** One ping every two seconds; the drawing is slow enough to be seen, the number is the truth. */
function watchEcho(): void {
  const echo = new Connection("echo");
  const trip = new RoundTrip();
  const wire = find("wire", HTMLElement);
  const ping = (): void => {
    wire.classList.remove("moving");
    if (!document.hidden && echo.send("ping")) trip.depart();
  };
  echo.addEventListener("open", ping);
  echo.addEventListener("close", () => trip.forget());
  echo.addEventListener("message", () => {
    const time = trip.arrive();
    if (time === null || trip.median === null) return;
    wire.classList.add("moving");
    sign("wire-time", format.milliseconds(time));
    sign("sign-echo", format.milliseconds(trip.median));
  });
  setInterval(ping, pingMs);
  echo.open();
}

fillCommands(find("commands", HTMLElement));
watchTopics();
watchEcho();
