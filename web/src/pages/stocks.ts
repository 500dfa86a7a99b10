/** Stocks: a topic for each company, of which only the latest price counts; the page follows those it wants. */

import type { CohoSubscription } from "../../client/coho.js";
import { Chart } from "../chart.js";
import { fillHost } from "../commands.js";
import { find } from "../dom.js";
import * as format from "../format.js";
import { Hub } from "../hub.js";
import { Pill } from "../pill.js";
import { parse, type Company, type Quote } from "../protocol.js";
import { QuoteRow } from "../quoterow.js";
import { SlowClient } from "../slowclient.js";
import { Timeline, type Column } from "../timeline.js";

const tickMs = 250;
const colours = 12;
const chosenAtFirst = 4;

const hub = new Hub("live/");
const client = hub.open();
const rows = new Map<string, QuoteRow>();
/** What the visitor wants. */
const followed = new Map<string, CohoSubscription>();
/** What came over the connection there is now. */
const heard = new Set<string>();
const undrawn = new Set<string>();
const slow = new SlowClient(client);

let timeline = new Timeline(0);
let chart: Chart | null = null;
let received = 0;

/** The first time this makes the table; a restarted server says the same again. */
function list(companies: Company[]): void {
  const known = companies.length === rows.size && companies.every(({ symbol }) => rows.has(symbol));
  if (known) return;
  const wanted = rows.size === 0 ? companies.slice(0, chosenAtFirst).map(({ symbol }) => symbol) : [...followed.keys()];
  want(followed.keys(), false);
  rows.clear();
  companies.forEach((company, i) => rows.set(company.symbol, makeRow(company, i)));
  find("quotes", HTMLElement).replaceChildren(...[...rows.values()].map((row) => row.element));
  makeChart(companies);
  want(wanted, true);
  if (companies[0]) slow.about(companies[0].symbol);
}

function makeRow(company: Company, index: number): QuoteRow {
  const { symbol } = company;
  return new QuoteRow(company, series(index), {
    toggleSubscription: () => want([symbol], !followed.has(symbol)),
    toggleLine: () => {
      if (!undrawn.delete(symbol)) undrawn.add(symbol);
      mark();
    },
  });
}

function makeChart(companies: Company[]): void {
  timeline = new Timeline(companies.length);
  const host = find("chart", HTMLElement);
  host.replaceChildren();
  chart = new Chart(host, {
    lines: companies.map(({ symbol }, i) => ({ label: symbol, colour: series(i) })),
    height: 260,
    format: (value) => `${value.toFixed(1)} %`,
    range: (low, high) => [low - Math.max(0.1, (high - low) * 0.1), high + Math.max(0.1, (high - low) * 0.1)],
  });
}

function series(index: number): string {
  return `--series-${(index % colours) + 1}`;
}

function want(symbols: Iterable<string>, yes: boolean): void {
  for (const symbol of [...symbols]) {
    if (followed.has(symbol) === yes) continue;
    if (yes) {
      followed.set(symbol, client.subscribe(`stocks/${symbol}`, ({ data }) => price(parse<Quote>(data)), { since: "0" }));
    } else {
      followed.get(symbol)?.unsubscribe();
      followed.delete(symbol);
      heard.delete(symbol);
    }
  }
  mark();
}

function price(quote: Quote | null): void {
  const row = quote && rows.get(quote.symbol);
  if (!row) return;
  received++;
  row.move(quote.price);
  if (heard.has(quote.symbol)) return;
  heard.add(quote.symbol);
  mark();
}

function mark(): void {
  let line = 0;
  for (const [symbol, row] of rows) {
    const drawn = !undrawn.has(symbol);
    row.mark(followed.has(symbol), heard.has(symbol), drawn);
    chart?.show(line++, drawn);
  }
}

/** Samples all prices at the same moments, so that the lines share one time axis. */
function tick(): void {
  if (!chart) return;
  const values: Column = [...rows].map(([symbol, row]) => (heard.has(symbol) ? row.change : null));
  timeline.add(Date.now() / 1000, values);
  if (document.hidden) return;
  chart.draw(timeline);
  [...rows.values()].forEach((row, i) => row.drawTrend(timeline.columns[i] ?? []));
}

function showRate(): void {
  find("rate", HTMLElement).textContent = `${format.count(heard.size, "symbol")}, ${format.count(received, "price")} a second`;
  received = 0;
}

hub.addEventListener("statechange", () => {
  if (hub.state === "open") return;
  heard.clear();
  mark();
});
client.subscribe("stocks", ({ data }) => {
  const companies = parse<Company[]>(data);
  if (Array.isArray(companies)) list(companies);
}, { since: "0" });
find("all", HTMLButtonElement).addEventListener("click", () => want(rows.keys(), true));
find("none", HTMLButtonElement).addEventListener("click", () => want([...followed.keys()], false));
setInterval(tick, tickMs);
setInterval(showRate, 1_000);
new Pill(hub);
fillHost();
