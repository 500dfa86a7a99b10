/** Stocks: a dozen symbols, of which the server sends those that this page subscribes to. */

import { Chart } from "../chart.js";
import { Connection } from "../connection.js";
import { find } from "../dom.js";
import * as format from "../format.js";
import { Pill } from "../pill.js";
import type { MarketMessage, Quote } from "../protocol.js";
import { QuoteRow } from "../quoterow.js";
import { Timeline, type Column } from "../timeline.js";

const tickMs = 250;
const colours = 12;
const chosenAtFirst = 4;

const connection = new Connection("stocks");
const rows = new Map<string, QuoteRow>();
/** What the visitor wants; asked for again after every reconnect. */
const wanted = new Set<string>();
/** What the server says it sends. */
let subscribed = new Set<string>();
const undrawn = new Set<string>();

let timeline = new Timeline(0);
let chart: Chart | null = null;
let received = 0;

function receive(message: MarketMessage): void {
  switch (message.type) {
    case "symbols":
      list(message.symbols);
      request("subscribe", wanted);
      break;
    case "subscribed":
      subscribed = new Set(message.symbols);
      mark();
      break;
    case "price":
      received++;
      rows.get(message.symbol)?.move(message.price);
      break;
    case "error":
      find("trouble", HTMLElement).textContent = message.error;
      break;
  }
}

/** The first time this makes the table; after a reconnect it only takes over the new prices. */
function list(quotes: Quote[]): void {
  if (rows.size === 0) {
    for (const { symbol } of quotes.slice(0, chosenAtFirst)) wanted.add(symbol);
  }
  const known = quotes.length === rows.size && quotes.every(({ symbol }) => rows.has(symbol));
  if (known) {
    for (const quote of quotes) rows.get(quote.symbol)?.move(quote.price);
    return;
  }
  rows.clear();
  quotes.forEach((quote, i) => rows.set(quote.symbol, makeRow(quote, i)));
  find("quotes", HTMLElement).replaceChildren(...[...rows.values()].map((row) => row.element));
  makeChart(quotes);
  mark();
}

function makeRow(quote: Quote, index: number): QuoteRow {
  const { symbol } = quote;
  return new QuoteRow(quote, series(index), {
    toggleSubscription: () => want([symbol], !wanted.has(symbol)),
    toggleLine: () => {
      if (!undrawn.delete(symbol)) undrawn.add(symbol);
      mark();
    },
  });
}

function makeChart(quotes: Quote[]): void {
  timeline = new Timeline(quotes.length);
  const host = find("chart", HTMLElement);
  host.replaceChildren();
  chart = new Chart(host, {
    lines: quotes.map(({ symbol }, i) => ({ label: symbol, colour: series(i) })),
    height: 260,
    format: (value) => `${value.toFixed(1)} %`,
    range: (low, high) => [low - Math.max(0.1, (high - low) * 0.1), high + Math.max(0.1, (high - low) * 0.1)],
  });
}

function series(index: number): string {
  return `--series-${(index % colours) + 1}`;
}

function want(symbols: Iterable<string>, yes: boolean): void {
  const changed = [...symbols].filter((symbol) => wanted.has(symbol) !== yes);
  for (const symbol of changed) {
    if (yes) wanted.add(symbol);
    else wanted.delete(symbol);
  }
  find("trouble", HTMLElement).textContent = "";
  request(yes ? "subscribe" : "unsubscribe", changed);
  mark();
}

/** While there is no connection nothing is asked: the next one asks for all that is wanted. */
function request(verb: "subscribe" | "unsubscribe", symbols: Iterable<string>): void {
  const list = [...symbols];
  if (list.length > 0) connection.send(JSON.stringify({ [verb]: list }));
}

function mark(): void {
  let line = 0;
  for (const [symbol, row] of rows) {
    const drawn = !undrawn.has(symbol);
    row.mark(wanted.has(symbol), subscribed.has(symbol), drawn);
    chart?.show(line++, drawn);
  }
}

/** Samples all prices at the same moments, so that the lines share one time axis. */
function tick(): void {
  if (!chart) return;
  const values: Column = [];
  for (const [symbol, row] of rows) {
    values.push(connection.state === "open" && subscribed.has(symbol) ? row.change : null);
  }
  timeline.add(Date.now() / 1000, values);
  if (document.hidden) return;
  chart.draw(timeline);
  [...rows.values()].forEach((row, i) => row.drawTrend(timeline.columns[i] ?? []));
}

function showRate(): void {
  find("rate", HTMLElement).textContent = `${format.count(subscribed.size, "symbol")}, ${format.count(received, "price")} a second`;
  received = 0;
}

connection.addEventListener("message", ({ data }) => receive(JSON.parse(String(data)) as MarketMessage));
connection.addEventListener("close", () => {
  subscribed.clear();
  mark();
});
find("all", HTMLButtonElement).addEventListener("click", () => want(rows.keys(), true));
find("none", HTMLButtonElement).addEventListener("click", () => want(rows.keys(), false));
setInterval(tick, tickMs);
setInterval(showRate, 1_000);
new Pill(connection);
connection.open();
