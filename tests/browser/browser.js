// Browser: one Chromium; each visitor is a person with a window and storage of their own.

import { mkdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

export const phone = { width: 360, height: 740 };
export const desktop = { width: 1280, height: 800 };

const screenshots = fileURLToPath(new URL("../../build/screenshots/", import.meta.url));
const quiet = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
  "--disable-background-networking", "--disable-component-update", "--disable-sync"];
const failedConnect = /WebSocket connection to '.*' failed|Failed to load resource: net::ERR_/;
/** How a client of topics ends a stream or a poll. */
const aborted = (request) => /\/(t|live)\//.test(request.url()) && request.failure()?.errorText === "net::ERR_ABORTED";

/** What the browser's console, its pages or its network held against us. */
export const complaints = [];

let browser = null;
let outage = false;
const visitors = new Map(); // page -> its context

export function forgetComplaints() {
  complaints.length = 0;
  outage = false;
}

/** While the server is down on purpose, the browser may log that connecting failed, and nothing else. */
export async function duringOutage(action) {
  outage = true;
  await action();
  outage = false;
}

export async function visit(url, { viewport = desktop, colorScheme = "light" } = {}) {
  browser ??= await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: quiet });
  const context = await browser.newContext({ viewport, colorScheme });
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  visitors.set(page, context);
  listen(page);
  await page.goto(url);
  return page;
}

function listen(page) {
  page.on("console", (message) => {
    if (message.type() !== "error" && message.type() !== "warning") return;
    if (outage && failedConnect.test(message.text())) return;
    complaints.push(`console ${message.type()}: ${message.text()}`);
  });
  page.on("pageerror", (error) => complaints.push(`page error: ${error}`));
  page.on("requestfailed", (request) => outage || aborted(request) || complaints.push(`request failed: ${request.url()}: ${request.failure()?.errorText}`));
  page.on("response", (response) => {
    if (response.status() >= 400) complaints.push(`${response.status()} for ${response.url()}`);
  });
}

export async function photograph(page, name, fullPage = false) {
  await mkdir(screenshots, { recursive: true });
  await page.screenshot({ path: `${screenshots}${name}.png`, fullPage });
}

/** Every open window, as it looks at this moment. */
export async function photographAll(name) {
  let number = 0;
  for (const page of visitors.keys()) await photograph(page, `${name}-${++number}`).catch(() => {});
}

export async function closeVisitors() {
  const contexts = [...visitors.values()];
  visitors.clear();
  await Promise.all(contexts.map((context) => context.close()));
}

export async function closeBrowser() {
  await browser?.close();
}

/** Waits until the header says this about the connection. */
export async function connectionIs(page, words) {
  await page.locator("#pill-text", { hasText: words }).waitFor();
}

/** Waits until some element of `selector` shows this text. */
export async function shows(page, selector, text) {
  await page.locator(selector, { hasText: text }).first().waitFor();
}
