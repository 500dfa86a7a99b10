import assert from "node:assert/strict";
import { connectionIs, shows, visit } from "./browser.js";
import { test } from "./runner.js";

test("start page: every demo shows a sign of life", async (demo) => {
  const page = await visit(demo.origin);
  await connectionIs(page, "open");
  await shows(page, "#sign-echo", /^[\d.]+ ms$/);
  await shows(page, "#wire-time", /^[\d.]+ ms$/);
  await shows(page, "#sign-chat", /^\d+ connections?$/);
  await shows(page, "#sign-stocks", /^\d+\.\d\d$/);
  await shows(page, "#sign-transports", "WebSocket");
  await shows(page, "#sign-stats", /^[\d.]+ [KMG]iB$/);
});

test("start page: the commands carry the address of this server", async (demo) => {
  const page = await visit(demo.origin);
  const commands = await page.locator("#commands code").allTextContents();
  assert.ok(commands.length >= 4);
  for (const command of commands) assert.ok(command.includes(`//${demo.host}/`), command);
});

test("start page: each card leads to its demo, and the header leads everywhere", async (demo) => {
  const page = await visit(demo.origin);
  for (const title of ["Echo console", "Chat", "Stocks", "Server stats", "Transports"]) {
    await page.getByRole("main").getByRole("link", { name: title, exact: true }).click();
    await page.getByRole("heading", { level: 1, name: title }).waitFor();
    assert.equal(await page.locator("nav [aria-current=page]").count(), 1);
    await page.getByRole("link", { name: /^coho: full duplex/ }).click();
    await page.getByRole("heading", { level: 1, name: /Upstream/ }).waitFor();
  }
});

test("start page: coho.js is there to be used, as the page says", async (demo) => {
  const page = await visit(demo.origin);
  await shows(page, ".sample", `"http://${demo.host}/coho.js"`);
  const heard = await page.evaluate(async () => {
    const { Coho } = await import("/coho.js");
    const client = new Coho("/t/");
    const heard = new Promise((done) => client.subscribe("chat/lobby", ({ data }) => done(data), { since: "0" }));
    await client.publish("chat/lobby", "hello");
    return heard;
  });
  assert.equal(heard, "hello");
});

test("theme: the button switches it and the next page remembers", async (demo) => {
  const page = await visit(demo.origin, { colorScheme: "light" });
  const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const light = await ground();
  await page.getByRole("button", { name: "Switch to dark theme" }).click();
  const dark = await ground();
  assert.notEqual(dark, light);
  await page.goto(`${demo.origin}/stats.html`);
  assert.equal(await ground(), dark);
  await page.getByRole("button", { name: "Switch to light theme" }).click();
  assert.equal(await ground(), light);
});

test("justws: open and message, on the page and in the console", async (demo) => {
  const page = await visit("about:blank");
  const logged = [];
  page.on("console", (message) => logged.push(message.text()));
  await page.goto(`${demo.origin}/justws.html`);
  await shows(page, "#log", /open: ws:/);
  await shows(page, "#log", /message: .*hello, server!/);
  assert.ok(logged.some((line) => line.startsWith("open:")));
  assert.ok(logged.some((line) => line.startsWith("message:")));
});

test("healthz: answers ok", async (demo) => {
  const response = await fetch(`${demo.origin}/healthz`);
  assert.equal(response.status, 200);
  assert.equal(await response.text(), "ok\n");
});
