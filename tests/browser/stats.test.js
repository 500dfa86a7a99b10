import assert from "node:assert/strict";
import { connectionIs, duringOutage, shows, visit } from "./browser.js";
import { test } from "./runner.js";

const tile = (measure) => `.tile[data-measure="${measure}"]`;

async function openStats(demo) {
  const page = await visit(`${demo.origin}/stats.html`);
  await connectionIs(page, "open");
  await shows(page, `${tile("connections")} .value`, /^\d+$/);
  return page;
}

const first = async (page, measure) => Number(await page.locator(`${tile(measure)} .value`).first().textContent());

/** Waits until the first value of a tile lies within the bounds. */
async function reaches(page, measure, { least = 0, most = 1e9 }) {
  await page.waitForFunction(([selector, least, most]) => {
    const value = parseFloat(document.querySelector(selector).textContent.replaceAll(",", ""));
    return value >= least && value <= most;
  }, [`${tile(measure)} .value`, least, most]);
}

test("stats: six measures with numbers and units", async (demo) => {
  const page = await openStats(demo);
  assert.equal(await page.locator(".tile").count(), 6);
  await shows(page, `${tile("messages_in messages_out")} .value`, /^[\d.,]+$/);
  await shows(page, `${tile("bytes_in bytes_out")} .value`, /^[\d.]+ [KM]?i?B$/);
  await shows(page, `${tile("rss_bytes")} .value`, /^[\d.]+ [KM]iB$/);
  await shows(page, `${tile("cpu_percent")} .value`, /^[\d.]+ %$/);
  await shows(page, `${tile("loop_lag_ms")} .value`, /^[\d.]+ m?s$/);
  await shows(page, "#uptime", /^Up /);
});

test("stats: the charts begin with what was before the visit", async (demo) => {
  const first = await openStats(demo);
  await shows(first, "#uptime", /Up ([4-9]|\d\d+) s/);
  const page = await visit(`${demo.origin}/stats.html`);
  const drawn = () => page.locator(`${tile("connections")} canvas`).evaluate((canvas) => {
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    let ofLine = 0;
    for (let i = 0; i < data.length; i += 4) if (data[i] === 11 && data[i + 1] === 112 && data[i + 2] === 120) ofLine++;
    return ofLine;
  });
  await shows(page, `${tile("connections")} .value`, /^\d+$/);
  assert.ok((await drawn()) > 20, "one sample alone would draw no line");
});

test("stats: a visitor more is a connection more", async (demo) => {
  const page = await openStats(demo);
  const before = await first(page, "connections");
  await visit(`${demo.origin}/echo.html`);
  await reaches(page, "connections", { least: before + 1 });
});

test("stats: load from the page shows, and goes away again", async (demo) => {
  const page = await openStats(demo);
  const before = await first(page, "connections");
  await page.getByRole("button", { name: "Open 10 connections" }).click();
  await reaches(page, "connections", { least: before + 10 });
  await page.getByRole("button", { name: "Echo 500 a second" }).click();
  await reaches(page, "messages_in messages_out", { least: 200 });
  await shows(page, "#load-hint", /echoes back/);
  await page.getByRole("button", { name: "Stop" }).click();
  await reaches(page, "connections", { most: before });
});

test("stats: the charts go on after a crash of the server", async (demo) => {
  const page = await openStats(demo);
  await duringOutage(async () => {
    await demo.kill();
    await connectionIs(page, "reconnecting");
    await demo.start();
    await connectionIs(page, /^open/);
  });
  const before = await page.locator("#uptime").textContent();
  await page.waitForFunction((before) => document.getElementById("uptime").textContent !== before, before);
});
