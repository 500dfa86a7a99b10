import assert from "node:assert/strict";
import { connectionIs, duringOutage, shows, visit } from "./browser.js";
import { test } from "./runner.js";

async function openMarket(demo) {
  const page = await visit(`${demo.origin}/stocks.html`);
  await connectionIs(page, "open");
  await page.locator("tr.subscribed").nth(3).waitFor();
  return page;
}

const price = (page, symbol) => page.locator(`tr[data-symbol=${symbol}] .price`);
const subscribed = (page) => page.locator("tr.subscribed").count();
const unsubscribed = (page, symbol) => page.locator(`tr[data-symbol=${symbol}]:not(.subscribed)`);
const until = (page, test, argument) => page.waitForFunction(test, argument);

/** Waits until the price of a symbol has changed `times` times. */
async function moves(page, symbol, times = 1) {
  await page.evaluate(([symbol, times]) => new Promise((done) => {
    const cell = document.querySelector(`tr[data-symbol=${symbol}] .price`);
    new MutationObserver((_, observer) => {
      if (--times > 0) return;
      observer.disconnect();
      done();
    }).observe(cell, { childList: true });
  }), [symbol, times]);
}

test("stocks: a dozen symbols, and those subscribed to move", async (demo) => {
  const page = await openMarket(demo);
  assert.equal(await page.locator("#quotes tr").count(), 12);
  assert.equal(await subscribed(page), 4);
  await moves(page, "COHO", 2);
  await shows(page, "#rate", /4 symbols, \d+ prices? a second/);
});

test("stocks: unsubscribe stops a symbol, subscribe starts it again", async (demo) => {
  const page = await openMarket(demo);
  await page.getByRole("button", { name: "Unsubscribe from COHO" }).click();
  await unsubscribed(page, "COHO").waitFor();
  assert.equal(await subscribed(page), 3);
  const before = await price(page, "COHO").textContent();
  await moves(page, "KETA", 6);
  assert.equal(await price(page, "COHO").textContent(), before);
  await page.getByRole("button", { name: "Subscribe to COHO" }).click();
  await moves(page, "COHO");
});

test("stocks: all and none", async (demo) => {
  const page = await openMarket(demo);
  await page.getByRole("button", { name: "Subscribe all" }).click();
  await until(page, () => document.querySelectorAll("tr.subscribed").length === 12);
  await page.getByRole("button", { name: "None" }).click();
  await until(page, () => document.querySelectorAll("tr.subscribed").length === 0);
  await shows(page, "#rate", "0 symbols, 0 prices a second");
});

test("stocks: the chart draws, and a line can be hidden", async (demo) => {
  const page = await openMarket(demo);
  const picture = () => page.locator("#chart canvas").evaluate((canvas) => canvas.toDataURL());
  const first = await picture();
  await until(page, (first) => document.querySelector("#chart canvas").toDataURL() !== first, first);
  const line = page.getByRole("button", { name: "Line of COHO in the chart" });
  await line.click();
  assert.equal(await line.getAttribute("aria-pressed"), "false");
});

test("stocks: after a crash of the server the same symbols move again", async (demo) => {
  const page = await openMarket(demo);
  await page.getByRole("button", { name: "Unsubscribe from COHO" }).click();
  await unsubscribed(page, "COHO").waitFor();
  await duringOutage(async () => {
    await demo.kill();
    await until(page, () => document.querySelectorAll("tr.subscribed").length === 0);
    await demo.start();
    await connectionIs(page, /^open/);
  });
  await until(page, () => document.querySelectorAll("tr.subscribed").length === 3);
  await moves(page, "KETA");
  assert.equal(await page.locator("tr.subscribed[data-symbol=COHO]").count(), 0);
});

test("stocks: a slow client is told what it lost, and has the latest price", async (demo) => {
  const page = await openMarket(demo);
  const slow = page.getByRole("switch", { name: "Slow client" });
  const said = (text) => page.locator("#slow-said", { hasText: text }).waitFor();
  const figure = async (id) => Number((await page.locator(`#${id}`).textContent()).replaceAll(",", ""));
  await page.getByLabel("asks every").selectOption("1");
  await slow.click();
  await said(/Asked again: \d+ changes?, none lost/);
  await page.getByLabel("asks every").selectOption("4");
  await said(/Asked again: \d+ changes, and a gap: \d+ lost/);
  assert.ok((await figure("slow-lost")) > 0);
  assert.equal(await figure("live-lost"), 0);
  assert.match(await page.locator("#slow-price").textContent(), /^\d+\.\d\d$/);
  await slow.click();
  await page.locator("#slow-view").waitFor({ state: "hidden" });
  await moves(page, "COHO"); // the page goes on following what it followed
});
