/** Start page: what coho is, with a small sign of life from each demo. */

import { Connection } from "../connection.js";
import { find, make } from "../dom.js";
import * as format from "../format.js";
import { Pill } from "../pill.js";
import { RoundTrip } from "../roundtrip.js";
import type { MarketMessage, Sample, StatsMessage } from "../protocol.js";

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

function watchStats(): void {
  const stats = new Connection("stats");
  new Pill(stats);
  stats.addEventListener("message", ({ data }) => {
    const message = JSON.parse(String(data)) as StatsMessage;
    const sample = message.type === "history" ? message.samples.at(-1) : message;
    if (sample) showSample(sample);
  });
  stats.open();
}

function watchStock(): void {
  const stocks = new Connection(`stocks?symbols=${symbol}`);
  let open = 0;
  const show = (price: number): void => {
    sign("sign-stocks", price.toFixed(2));
    sign("sign-stocks-change", `${symbol} ${format.signedPercent((price / open - 1) * 100)} today`);
  };
  stocks.addEventListener("message", ({ data }) => {
    const message = JSON.parse(String(data)) as MarketMessage;
    if (message.type === "price" && message.symbol === symbol) show(message.price);
    if (message.type !== "symbols") return;
    const quote = message.symbols.find((entry) => entry.symbol === symbol);
    if (!quote) return;
    open = quote.open;
    show(quote.price);
  });
  stocks.open();
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

function fillCommands(): void {
  for (const line of find("commands", HTMLElement).children) {
    const code = line.querySelector("code");
    if (!code) continue;
    const command = (code.textContent ?? "").replace("HOST", location.host);
    code.replaceChildren(...command.split(/(?<=[^:/]\/|[?&])/).flatMap((part) => [part, make("wbr", "")]));
    line.append(copyButton(command));
  }
}

function copyButton(text: string): HTMLButtonElement {
  const button = make("button", "quiet", "Copy");
  button.type = "button";
  button.setAttribute("aria-label", `Copy ${text}`);
  button.hidden = !isSecureContext; // browsers lend the clipboard to secure pages only
  button.addEventListener("click", () => {
    navigator.clipboard.writeText(text).then(
      () => (button.textContent = "Copied"),
      () => (button.textContent = "Not allowed"),
    );
    setTimeout(() => (button.textContent = "Copy"), 1_500);
  });
  return button;
}

fillCommands();
watchStats();
watchStock();
watchEcho();
