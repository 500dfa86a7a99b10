// examples/react-chat, as Vite builds it and as `coho serve --demo --root` serves it.

import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { createHmac, randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { promisify, stripVTControlCharacters } from "node:util";
import { closeVisitors, complaints, desktop, phone, photograph, shows, visit } from "./browser.js";
import { program } from "./demo.js";
import { test } from "./runner.js";

const run = promisify(execFile);
const root = fileURLToPath(new URL("../../", import.meta.url));
const folder = `${root}examples/react-chat/`;
const vite = `${folder}node_modules/vite/bin/vite.js`;

// ---- what serves it ------------------------------------------------------------------------------

const built = new Map(); // mode -> promise of the folder

/** In the mode "development" React runs every effect twice and warns of what is wrong. */
function build(mode) {
  if (!built.has(mode)) {
    const out = `${root}build/react-chat/${mode}`;
    const args = [vite, "build", "--mode", mode, "--outDir", out, "--emptyOutDir", "--logLevel", "warn"];
    const env = { ...process.env, NODE_ENV: mode };
    built.set(mode, run(`${root}tools/npm-ci`, ["examples/react-chat"])
      .then(() => run(process.execPath, args, { cwd: folder, env }))
      .then(({ stdout, stderr }) => {
        assert.equal(stdout + stderr, "", "Vite has nothing to complain about");
        return out;
      }));
  }
  return built.get(mode);
}

/** Starts a program and waits for a line of it. */
async function start(command, args, expected, env = {}) {
  const child = spawn(command, args, { cwd: folder, env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "inherit"] });
  const exit = once(child, "exit");
  const stop = async (signal = "SIGTERM") => {
    child.kill(signal);
    await exit;
  };
  for await (const line of createInterface({ input: child.stdout })) {
    const match = expected.exec(stripVTControlCharacters(line));
    if (!match) continue;
    child.stdout.resume();
    return { port: Number(match[1]), stop };
  }
  throw new Error(`${command} ended before it was ready`);
}

const listening = /^listening \S+:(\d+)/;
const serve = (files, port = 0) =>
  start(program, ["serve", "--demo", "--root", files, "--listen", `ws://127.0.0.1:${port}`], listening);

/** A way to a port that can be cut. */
async function relay(port) {
  const sockets = new Set();
  const server = createServer((near) => {
    const far = connect(port, "127.0.0.1");
    for (const [from, to] of [[near, far], [far, near]]) {
      sockets.add(from);
      from.pipe(to);
      from.on("error", () => {});
      from.on("close", () => {
        sockets.delete(from);
        to.destroy();
      });
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const cut = () => sockets.forEach((socket) => socket.destroy());
  return { origin: `http://127.0.0.1:${server.address().port}`, cut, close: () => (server.close(), cut()) };
}

/** Runs `body` with a server of the page. */
async function withChat(mode, body) {
  let server = await serve(await build(mode));
  const { port } = server;
  const chat = {
    port,
    origin: `http://127.0.0.1:${port}`,
    crash: () => server.stop("SIGKILL"),
    restart: async () => (server = await serve(await build(mode), port)),
  };
  try {
    await body(chat);
    await closeVisitors(); // before they miss the server
  } finally {
    await server.stop();
  }
}

/** While there is no server, the browser says so; everything else it says counts. */
async function duringOutage(action) {
  await action();
  const expected = /ERR_(CONNECTION_REFUSED|CONNECTION_RESET|EMPTY_RESPONSE|INTERNET_DISCONNECTED|INCOMPLETE_CHUNKED_ENCODING)/;
  const others = complaints.filter((complaint) => !expected.test(complaint));
  complaints.splice(0, Infinity, ...others);
}

// ---- what a visitor does -------------------------------------------------------------------------

async function enter(origin, name, room = "lobby", look = {}) {
  const page = await visit(`${origin}/#/${room}`, look);
  await page.getByLabel("Your name").fill(name);
  await page.keyboard.press("Enter");
  await shows(page, ".people li", name);
  return page;
}

async function say(page, text) {
  await page.getByRole("textbox", { name: "Message to" }).fill(text);
  await page.keyboard.press("Enter");
}

async function publish(origin, room, text) {
  const response = await fetch(`${origin}/t/room/${room}`, { method: "POST", body: text });
  assert.equal(response.status, 200);
}

const texts = (page) => page.locator(".log .text, .log .gap").allTextContents();
const people = async (page) => (await page.locator(".people li").allTextContents()).map((name) => name.replace(" you", ""));
const sent = (page, text) => page.locator(".said.sent", { hasText: text }).waitFor();
const settled = (page) => page.locator(".said.pending").first().waitFor({ state: "detached" });

// ---- tests ---------------------------------------------------------------------------------------

test("react: the two hooks are less than 100 lines", async () => {
  const source = await readFile(`${folder}src/hooks.ts`, "utf8");
  assert.match(source, /export function useTopic\b[^]*export function usePresence\b/);
  assert.ok(source.split("\n").length - 1 < 100);
});

test("react: its types hold", async () => {
  await build("production"); // installs what is needed
  await run(process.execPath, [`${folder}node_modules/typescript/bin/tsc`], { cwd: folder }).catch(({ stdout }) => assert.fail(stdout));
});

for (const mode of ["production", "development"]) {
  test(`react: two people see each other come, type, talk and leave (${mode})`, () => withChat(mode, async ({ origin }) => {
    const ann = await enter(origin, "ann");
    const bob = await enter(origin, "bob");
    await shows(ann, ".people li", "bob");
    assert.deepEqual(await people(ann), ["ann", "bob"]);
    assert.deepEqual(await people(bob), ["ann", "bob"]);
    await bob.getByRole("textbox", { name: "Message to" }).pressSequentially("Half ");
    await shows(ann, ".typing", "bob is typing");
    await say(bob, "Half the <i>river</i>.");
    await shows(ann, ".theirs .text", "Half the <i>river</i>.");
    assert.equal(await ann.locator(".typing").textContent(), "");
    await say(ann, "Which half?");
    await sent(ann, "Which half?");
    await sent(bob, "Which half?");
    for (const page of [ann, bob]) assert.deepEqual(await texts(page), ["Half the <i>river</i>.", "Which half?"]);
    await bob.getByRole("button", { name: "Leave" }).click();
    await ann.locator(".people li", { hasText: "bob" }).waitFor({ state: "detached" });
  }));
}

test("react: who joins later sees what was said, and who is in which room", () => withChat("development", async ({ origin }) => {
  const ann = await enter(origin, "ann", "tea");
  for (const text of ["one", "two", "three"]) await say(ann, text);
  await sent(ann, "three");
  await publish(origin, "tea", "plain words, by curl");
  const bob = await enter(origin, "bob", "lobby");
  await shows(bob, "nav a", /^tea1 here$/);
  await bob.getByRole("link", { name: "tea" }).click();
  await sent(bob, "plain words, by curl");
  assert.deepEqual(await texts(bob), ["one", "two", "three", "plain words, by curl"]);
  await bob.getByLabel("Another room").fill("the delta");
  await bob.keyboard.press("Enter");
  await shows(bob, "nav a[aria-current]", "the-delta");
  await shows(bob, ".log", "Nothing was said here yet.");
  const missed = Array.from({ length: 150 }, (_, index) => `missed ${index}`); // more than is asked of the history
  for (const text of missed) await publish(origin, "tea", text);
  await bob.goBack();
  await sent(bob, "missed 149");
  assert.deepEqual(await texts(bob), ["one", "two", "three", "plain words, by curl", ...missed]);
}));

test("react: who was offline gets exactly what was missed, and what was written meanwhile arrives once", () => withChat("development", async ({ origin, port }) => {
  const way = await relay(port);
  try {
    const ann = await enter(origin, "ann");
    const bob = await enter(way.origin, "bob");
    await say(ann, "before");
    await sent(bob, "before");
    await duringOutage(async () => {
      await bob.context().setOffline(true);
      way.cut();
      await shows(bob, ".banner", "You are offline.");
      for (let number = 1; number <= 20; number++) await say(ann, `missed ${number}`);
      await sent(ann, "missed 20");
      await say(bob, "written offline");
      await bob.locator(".said.pending", { hasText: "written offline" }).waitFor();
      await shows(bob, ".banner", "1 message waits.");
      await photograph(bob, "react-offline");
      await bob.context().setOffline(false);
      await sent(bob, "written offline");
    });
    await bob.locator(".banner").waitFor({ state: "detached" });
    await sent(ann, "written offline");
    const all = ["before", ...Array.from({ length: 20 }, (_, index) => `missed ${index + 1}`), "written offline"];
    assert.deepEqual(await texts(ann), all);
    assert.deepEqual(await texts(bob), all);
  } finally {
    await closeVisitors();
    way.close();
  }
}));

test("react: a server that starts anew is a gap, and the chat goes on", () => withChat("development", async ({ origin, crash, restart }) => {
  const ann = await enter(origin, "ann", "lobby", { viewport: phone });
  const bob = await enter(origin, "bob");
  const cleo = await enter(origin, "cleo");
  await say(ann, "before");
  await sent(bob, "before");
  await shows(bob, ".people li", "cleo");
  await duringOutage(async () => {
    await crash();
    await cleo.close();
    await shows(ann, ".banner", "The connection is lost");
    await shows(bob, ".banner", "The connection is lost");
    await say(ann, "kept while the server is away");
    await shows(ann, ".banner", "1 message waits.");
    await restart();
    await sent(bob, "kept while the server is away");
    await settled(ann);
  });
  for (const page of [ann, bob]) {
    await shows(page, ".gap", "Messages may be lost here");
    assert.deepEqual(await texts(page), ["before", "Messages may be lost here", "kept while the server is away"]);
  }
  for (const page of [ann, bob]) {
    await page.locator(".people li", { hasText: "cleo" }).waitFor({ state: "detached" });
    for (const name of ["ann", "bob"]) await shows(page, ".people li", name);
  }
  await photograph(ann, "react-gap-phone");
}));

test("react: how many were lost is told where it is known", () => withChat("development", async ({ origin, port }) => {
  const way = await relay(port);
  try {
    const ann = await enter(way.origin, "ann");
    await say(ann, "before");
    await sent(ann, "before");
    await duringOutage(async () => {
      await ann.context().setOffline(true);
      way.cut();
      await shows(ann, ".banner", "You are offline.");
      for (let number = 1; number <= 1010; number++) await publish(origin, "lobby", `number ${number}`);
      await ann.context().setOffline(false);
      await sent(ann, "number 1010");
    });
    await shows(ann, ".gap", /^10 messages lost$/);
  } finally {
    await closeVisitors();
    way.close();
  }
}));

test("react: what cannot be sent says so and can be tried again", () => withChat("development", async ({ origin }) => {
  const ann = await enter(origin, "ann");
  const field = ann.getByRole("textbox", { name: "Message to" });
  await field.evaluate((area) => (area.value = "x".repeat(1_100_000))); // more than the queue holds
  await field.press("Enter");
  await shows(ann, ".failed .fate", "Not sent: too much is waiting");
  await ann.getByRole("button", { name: "Try again" }).click();
  await shows(ann, ".failed .fate", "Not sent");
  await say(ann, "something shorter");
  await sent(ann, "something shorter");
  assert.equal(await ann.locator(".said").count(), 2);
}));

/** As the program of a login would make it. */
function token(secret, claims) {
  const part = (object) => Buffer.from(JSON.stringify(object)).toString("base64url");
  const text = `${part({ alg: "HS256", typ: "JWT" })}.${part({ exp: Math.floor(Date.now() / 1000) + 3600, ...claims })}`;
  return `${text}.${createHmac("sha256", secret).update(text).digest("base64url")}`;
}

test("react: a login lets in, where one may be; without it the page says so", async () => {
  const files = await build("development");
  const place = await mkdtemp(`${tmpdir()}/react-`);
  const secret = randomBytes(32).toString("hex");
  await writeFile(`${place}/secret`, secret);
  await writeFile(`${place}/coho.yaml`, `auth:\n  issuers:\n    - secret-file: ${place}/secret\n`);
  const server = await start(program, ["serve", "--config", `${place}/coho.yaml`, "--topics", "--root", files,
    "--listen", "ws://127.0.0.1:0"], listening);
  try {
    const origin = `http://127.0.0.1:${server.port}`;
    const ann = await visit(`${origin}/#/lobby`);
    await ann.getByLabel("Your name").fill("ann");
    await ann.keyboard.press("Enter");
    await shows(ann, ".banner.bad", "The server does not let you in");
    const topics = ["room/lobby", "room/+/typing"];
    const value = token(secret, { sub: "ann", coho: { sub: topics, pub: topics } });
    await ann.context().addCookies([{ name: "coho_token", value, url: origin }]);
    await ann.reload();
    await shows(ann, ".people li", "ann");
    await say(ann, "hello");
    await sent(ann, "hello");
    await ann.getByRole("link", { name: "tea" }).click();
    await shows(ann, ".banner.bad", "no right");
    await ann.getByRole("link", { name: "lobby" }).click();
    await ann.locator(".banner").waitFor({ state: "detached" });
    await sent(ann, "hello");
    await closeVisitors();
  } finally {
    await server.stop();
    await rm(place, { recursive: true });
  }
});

test("react: who reads above is not pulled down", () => withChat("development", async ({ origin }) => {
  const ann = await enter(origin, "ann", "lobby", { viewport: phone });
  const bob = await enter(origin, "bob");
  for (let line = 1; line <= 30; line++) await say(bob, `line ${line}`);
  await sent(ann, "line 30");
  const log = ann.getByRole("log");
  await log.evaluate((list) => (list.scrollTop = 0));
  await log.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
  await say(bob, "one more");
  const newer = ann.getByRole("button", { name: "1 new message" });
  await newer.waitFor();
  assert.equal(await log.evaluate((list) => list.scrollTop), 0);
  await newer.click();
  await newer.waitFor({ state: "detached" });
}));

test("react: in development Vite leads to the hub", () => withChat("production", async ({ origin }) => {
  const dev = await start(process.execPath, [vite, "--host", "127.0.0.1", "--port", "0", "--clearScreen", "false"],
    /Local:\s+http:\/\/127\.0\.0\.1:(\d+)/, { COHO_SERVER: origin });
  try {
    const ann = await enter(`http://127.0.0.1:${dev.port}`, "ann");
    const bob = await enter(origin, "bob");
    await shows(ann, ".pill small", "websocket");
    await say(ann, "by way of Vite");
    await sent(bob, "by way of Vite");
    await closeVisitors();
  } finally {
    await dev.stop();
  }
}));

test("react: fits phone and desktop, in light and dark", () => withChat("production", async ({ origin }) => {
  const bob = await enter(origin, "bob", "tea");
  const grounds = new Set();
  for (const [device, viewport] of Object.entries({ phone, desktop })) {
    for (const colorScheme of ["light", "dark"]) {
      const ann = await enter(origin, "ann", "tea", { viewport, colorScheme });
      await say(bob, `${device}, ${colorScheme}: anyone upstream today?`);
      await say(bob, "Rain since five.");
      await ann.locator(".theirs", { hasText: `${device}, ${colorScheme}` }).waitFor();
      await say(ann, "On my way, with the long net and a thermos of tea for everybody who wades in.");
      await settled(ann);
      await photograph(ann, `react-${device}-${colorScheme}`);
      const width = await ann.evaluate(() => document.documentElement.scrollWidth);
      assert.ok(width <= viewport.width, `${device}: the page is ${width} px wide`);
      grounds.add(await ann.evaluate(() => getComputedStyle(document.body).backgroundColor));
    }
  }
  assert.equal(grounds.size, 2, "light and dark differ");
}));
