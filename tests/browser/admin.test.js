import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { closeVisitors, complaints, connectionIs, desktop, phone, photograph, shows, visit } from "./browser.js";
import { program } from "./demo.js";
import { test } from "./runner.js";

/** Runs `body` with a server that has an admin listener, and ends it. */
async function withAdmin(options, body) {
  const args = ["serve", "--demo", "--listen", "ws://127.0.0.1:0", "--admin", "ws://127.0.0.1:0", ...options];
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "ignore"] });
  const exit = once(child, "exit");
  try {
    const at = {};
    for await (const line of createInterface({ input: child.stdout })) {
      const match = /^(listening|admin) \S+?:\/\/([^/]+)\/$/.exec(line);
      if (match) at[match[1]] = match[2];
      if (at.admin) break;
    }
    assert.ok(at.listening && at.admin, "the server tells where it listens");
    await body({ server: at.listening, url: `http://${at.admin}/` });
    await closeVisitors(); // before they miss the server
  } finally {
    child.kill("SIGTERM");
    await exit;
  }
}

/** A connection to the server from a window of its own, there until the window closes. */
async function client(server, path, text) {
  const page = await visit(`http://${server}/chat.html`);
  await page.evaluate(([url, text]) => new Promise((resolve, reject) => {
    const socket = new WebSocket(url);
    window.socket = socket;
    window.ended = new Promise((done) => {
      socket.onclose = ({ code, reason }) => done([code, reason]);
    });
    socket.onopen = resolve;
    socket.onerror = reject;
  }).then(() => text === null || window.socket.send(text)), [`ws://${server}${path}`, text ?? null]);
  return {
    send: (text) => page.evaluate((text) => window.socket.send(text), text),
    close: () => page.evaluate(() => window.socket.close()),
    isOpen: () => page.evaluate(() => window.socket.readyState === WebSocket.OPEN),
    ended: () => page.evaluate(() => window.ended),
    keepSaying: (text) => page.evaluate((text) => {
      window.talk = setInterval(() => window.socket.send(text), 50);
    }, text),
    fallSilent: () => page.evaluate(() => clearInterval(window.talk)),
  };
}

const row = (page, text) => page.locator("#rows tr", { hasText: text });

async function open(url, look) {
  const page = await visit(url, look);
  await connectionIs(page, "open");
  return page;
}

test("admin: connections appear, change and go away", () => withAdmin([], async ({ server, url }) => {
  const page = await open(url);
  await page.locator("#empty").waitFor();
  const socket = await client(server, "/echo?token=secret", "hello");
  await row(page, "/echo").waitFor();
  await shows(page, "#rows td[data-title=In]", "1");
  await shows(page, "#rows td[data-title=Out]", "1");
  await shows(page, "#rows td[data-title=RTT]", /ms$/);
  await shows(page, "#facts li", "Connections1");
  await shows(page, "#facts li", "ready");
  assert.ok(!(await page.content()).includes("secret"), "what stands in a query is not shown");
  await socket.close();
  await page.locator("#empty").waitFor();
}));

test("admin: sort and filter", () => withAdmin([], async ({ server, url }) => {
  const quiet = await client(server, "/echo");
  const busy = await client(server, "/t/chat/r?as=ann");
  for (let i = 0; i < 5; i++) await busy.send('{"type":"say","text":"hi"}');
  const page = await open(url);
  await row(page, "/chat").waitFor();
  await page.getByRole("button", { name: "In", exact: true }).click();
  await shows(page, "#rows tr:first-child", "/chat");
  await page.getByRole("button", { name: "In", exact: true }).click();
  await shows(page, "#rows tr:first-child", "/echo");
  assert.equal(await page.locator("th[aria-sort=ascending]").count(), 1);
  await page.getByLabel("Filter").fill("/chat");
  await row(page, "/echo").waitFor({ state: "detached" });
  await shows(page, "#summary", /1 of 2/);
  await quiet.close();
}));

test("admin: follow the frames of one, then close it", () => withAdmin([], async ({ server, url }) => {
  const page = await open(url);
  const socket = await client(server, "/echo");
  await row(page, "/echo").getByRole("button", { name: /^Follow/ }).click();
  await page.waitForFunction(() => document.querySelector("#rows tr.followed") !== null);
  await socket.keepSaying("upstream");
  await shows(page, "#frames li.up code", "upstream");
  await shows(page, "#frames li.down code", "upstream");
  await socket.fallSilent();
  await row(page, "/echo").getByRole("button", { name: /^Close/ }).click();
  await page.getByRole("button", { name: "Keep it" }).click();
  assert.ok(await socket.isOpen());
  await row(page, "/echo").getByRole("button", { name: /^Close/ }).click();
  await page.getByLabel("Code").fill("4001");
  await page.getByLabel("Reason").fill("enough");
  await page.getByRole("button", { name: "Close it" }).click();
  assert.deepEqual(await socket.ended(), [4001, "enough"]);
  await shows(page, "#frames li.down", "4001 enough");
  await shows(page, "#follow-about", "has ended");
  await page.locator("#empty").waitFor();
}));

test("admin: a code that must not be sent is refused", () => withAdmin([], async ({ server, url }) => {
  const page = await open(url);
  const socket = await client(server, "/echo");
  await row(page, "/echo").getByRole("button", { name: /^Close/ }).click();
  await page.getByLabel("Code").fill("1006");
  await page.keyboard.press("Enter");
  await shows(page, "#close-error", "invalid");
  await page.keyboard.press("Escape");
  assert.ok(await socket.isOpen());
}));

test("admin: with a token one signs in, and out", async () => {
  const folder = await mkdtemp(join(tmpdir(), "coho-"));
  const file = join(folder, "token");
  await writeFile(file, "correct-horse-battery\n");
  await withAdmin(["--admin-token", file], async ({ url }) => {
    const page = await visit(url);
    await page.getByLabel("Token").fill("wrong-horse-battery!!");
    await page.keyboard.press("Enter");
    await shows(page, "#login-error", "not the token");
    complaints.length = 0; // of the 403, which is meant
    await page.getByLabel("Token").fill("correct-horse-battery");
    await page.keyboard.press("Enter");
    await connectionIs(page, "open");
    await page.reload();
    await connectionIs(page, "open");
    const cookies = await page.context().cookies();
    assert.ok(cookies.every((c) => c.httpOnly && c.sameSite === "Strict"));
    assert.ok(cookies.every((c) => !c.value.includes("horse")), "the cookie is not the token");
    assert.equal((await fetch(`${url}metrics`)).status, 401);
    assert.equal((await fetch(`${url}metrics`, { headers: { Authorization: "Bearer correct-horse-battery" } })).status, 200);
    assert.equal((await fetch(`${url}readyz`)).status, 200);
  });
  await rm(folder, { recursive: true });
});

test("admin: fits phone and desktop, in light and dark", () => withAdmin([], async ({ server, url }) => {
  const socket = await client(server, "/echo", "x");
  await client(server, "/t/chat/r?as=ann");
  for (const [device, viewport] of Object.entries({ phone, desktop })) {
    for (const colorScheme of ["light", "dark"]) {
      const page = await open(url, { viewport, colorScheme });
      await row(page, "/echo").getByRole("button", { name: /^Follow/ }).click();
      await page.waitForFunction(() => document.querySelector("#rows tr.followed") !== null);
      await socket.keepSaying('{"up":"stream"}');
      await page.locator("#frames li.down").nth(2).waitFor();
      await socket.fallSilent();
      await photograph(page, `admin-${device}-${colorScheme}`, device === "phone");
      const width = await page.evaluate(() => document.documentElement.scrollWidth);
      assert.ok(width <= viewport.width, `${device}: the page is ${width} px wide`);
    }
  }
}));
