/** Stats: the server as it measures itself, once a second. */

import { Connection } from "../connection.js";
import { find } from "../dom.js";
import * as format from "../format.js";
import { Load } from "../load.js";
import { Pill } from "../pill.js";
import type { Sample, StatsMessage } from "../protocol.js";
import { Tile, type Measure } from "../tile.js";

const measures: Measure[] = [
  { title: "Connections", fields: ["connections"], format: format.number, least: 5 },
  { title: "Messages a second", fields: ["messages_in", "messages_out"], format: format.number, least: 10 },
  { title: "Bytes a second", fields: ["bytes_in", "bytes_out"], format: format.bytes, least: 1024, binary: true },
  { title: "Memory", fields: ["rss_bytes"], format: format.bytes, least: 1024 * 1024, binary: true },
  { title: "CPU", fields: ["cpu_percent"], format: (value) => `${format.number(value)} %`, least: 5 },
  { title: "Loop lag", fields: ["loop_lag_ms"], format: format.milliseconds, least: 1 },
];

const connection = new Connection("stats");
const host = find("tiles", HTMLElement);
const tiles = measures.map((measure) => new Tile(host, measure));
let newest = 0;

/** What an earlier server told stays on the charts, with a hole before what the new one tells. */
function recount(samples: Sample[]): void {
  const first = samples[0]?.time ?? Infinity;
  for (const tile of tiles) {
    tile.cut(first);
    if (newest > 0 && newest < first) tile.hole(newest + 1);
  }
  samples.forEach(take);
}

function take(sample: Sample): void {
  newest = sample.time;
  for (const tile of tiles) tile.add(sample);
  find("uptime", HTMLElement).textContent = `Up ${format.duration(sample.uptime_s)}.`;
}

connection.addEventListener("message", ({ data }) => {
  const message = JSON.parse(String(data)) as StatsMessage;
  if (message.type === "history") recount(message.samples);
  else take(message);
  for (const tile of tiles) tile.draw();
});
new Pill(connection);
new Load();
connection.open();
