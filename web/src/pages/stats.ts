/** Stats: the server as it measures itself, once a second; the hub keeps the last two minutes. */

import { fillHost } from "../commands.js";
import { find } from "../dom.js";
import * as format from "../format.js";
import { Hub } from "../hub.js";
import { Load } from "../load.js";
import { Pill } from "../pill.js";
import { parse, type Sample } from "../protocol.js";
import { Tile, type Measure } from "../tile.js";

const measures: Measure[] = [
  { title: "Connections", fields: ["connections"], format: format.number, least: 5 },
  { title: "Messages a second", fields: ["messages_in", "messages_out"], format: format.number, least: 10 },
  { title: "Bytes a second", fields: ["bytes_in", "bytes_out"], format: format.bytes, least: 1024, binary: true },
  { title: "Memory", fields: ["rss_bytes"], format: format.bytes, least: 1024 * 1024, binary: true },
  { title: "CPU", fields: ["cpu_percent"], format: (value) => `${format.number(value)} %`, least: 5 },
  { title: "Loop lag", fields: ["loop_lag_ms"], format: format.milliseconds, least: 1 },
];

const intervalMs = 1_000;

const hub = new Hub("live/");
const host = find("tiles", HTMLElement);
const tiles = measures.map((measure) => new Tile(host, measure));
let newest = 0;
let drawing = false;

/** A server that was away has left a hole; one whose clock went back is not believed. */
function take(sample: Sample): void {
  if (sample.time <= newest) return;
  const hole = newest > 0 && sample.time - newest > 2.5 * intervalMs;
  for (const tile of tiles) {
    if (hole) tile.hole(newest + 1);
    tile.add(sample);
  }
  newest = sample.time;
  find("uptime", HTMLElement).textContent = `Up ${format.duration(sample.uptime_s)}.`;
  drawSoon();
}

/** What comes at once, as the history does, is drawn at once. */
function drawSoon(): void {
  if (drawing) return;
  drawing = true;
  requestAnimationFrame(() => {
    drawing = false;
    for (const tile of tiles) tile.draw();
  });
}

new Pill(hub);
fillHost();
new Load();
hub.open().subscribe("stats", ({ data }) => {
  const sample = parse<Sample>(data);
  if (sample) take(sample);
}, { since: "0" });
