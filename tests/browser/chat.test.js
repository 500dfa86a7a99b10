import assert from "node:assert/strict";
import { closeVisitors, connectionIs, duringOutage, phone, photograph, shows, visit } from "./browser.js";
import { Network } from "./network.js";
import { test } from "./runner.js";

async function join(demo, name, room = "", options = {}) {
  const page = await visit(`${demo.origin}/chat.html`, options);
  await enter(page, name, room);
  return page;
}

async function enter(page, name, room = "") {
  await page.getByLabel("Your name").fill(name);
  await page.getByLabel("Room").fill(room);
  await page.keyboard.press("Enter");
  await connectionIs(page, "open");
  await page.locator("#members li", { hasText: "you" }).waitFor();
}

async function say(page, text) {
  await page.getByRole("textbox", { name: "Message" }).fill(text);
  await page.keyboard.press("Enter");
}

const members = async (page) => (await page.locator("#members li").allTextContents()).map((name) => name.replace(" you", ""));
const post = (demo, topic, body) => fetch(`${demo.origin}/t/${topic}`, { method: "POST", body });

test("chat: two people see each other join, talk and leave", async (demo) => {
  const ann = await join(demo, "ann");
  const bob = await join(demo, "bob");
  await shows(ann, ".note", "bob joined");
  assert.deepEqual(await members(ann), ["ann", "bob"]);
  await bob.locator("#members li").nth(1).waitFor();
  assert.deepEqual(await members(bob), ["ann", "bob"]);
  await say(ann, "Anyone <i>upstream</i> today?");
  await shows(bob, ".theirs", /ann.*\d\d:\d\d.*Anyone <i>upstream<\/i> today\?/);
  await say(bob, "Half the river.");
  await shows(ann, ".theirs", "Half the river.");
  await shows(ann, ".own:not(.pending)", "Anyone");
  await bob.getByRole("button", { name: "Leave" }).click();
  await shows(ann, ".note", "bob left");
  assert.deepEqual(await members(ann), ["ann"]);
  await bob.getByRole("button", { name: "Join" }).click();
  await connectionIs(bob, "open");
  await ann.locator("#members li", { hasText: "bob" }).waitFor();
});

test("chat: who comes later sees what was said before", async (demo) => {
  const ann = await join(demo, "ann");
  for (const line of ["one", "two", "three"]) await say(ann, line);
  await shows(ann, ".own:not(.pending)", "three");
  const bob = await join(demo, "bob");
  await shows(bob, ".theirs", "three");
  assert.deepEqual(await bob.locator(".theirs p").allTextContents(), ["one", "two", "three"]);
});

test("chat: after a reload one's own lines are still one's own", async (demo) => {
  const ann = await join(demo, "ann");
  const bob = await join(demo, "bob");
  await say(bob, "before");
  await shows(bob, ".own:not(.pending)", "before");
  await bob.reload();
  await enter(bob, "bob");
  await shows(bob, ".own", "before");
  await say(bob, "after");
  await shows(ann, ".theirs", "after");
  assert.equal(await bob.locator(".theirs").count(), 0);
});

test("chat: who is typing is seen, and no longer once it is said", async (demo) => {
  const ann = await join(demo, "ann");
  const bob = await join(demo, "bob");
  await shows(bob, "#members li", "ann");
  await bob.getByRole("textbox", { name: "Message" }).pressSequentially("hm");
  await shows(ann, "#typing", "bob is typing");
  await bob.keyboard.press("Enter");
  await shows(ann, ".theirs", "hm");
  await shows(ann, "#typing", /^$/);
  assert.equal(await bob.locator("#typing").textContent(), "");
});

test("chat: a name can be changed while the conversation goes on", async (demo) => {
  const ann = await join(demo, "ann");
  const bob = await join(demo, "bob");
  await shows(ann, "#members li", "bob");
  await bob.getByRole("button", { name: "Rename" }).click();
  await bob.getByLabel("New name").fill("bobby");
  await bob.keyboard.press("Enter");
  await shows(ann, ".note", "bob is now bobby");
  assert.deepEqual(await members(ann), ["ann", "bobby"]);
  await say(ann, "Hello, bobby.");
  await shows(bob, ".theirs", "Hello, bobby.");
  assert.equal(await bob.locator(".theirs").count(), 1);
  await say(bob, "Hello.");
  await shows(ann, ".theirs", /bobby.*Hello\./);
});

test("chat: what strangers post is text, whatever it is", async (demo) => {
  const ann = await join(demo, "ann");
  await post(demo, "chat/lobby", "<img src=x onerror=alert(1)>");
  await shows(ann, ".theirs p", "<img src=x onerror=alert(1)>");
  await post(demo, "chat/lobby", new Uint8Array([0xff, 0xfe]));
  await shows(ann, ".theirs p", "2 bytes");
  const forged = { from: "x", name: "\u202ereversed\u0007<b>", text: { toString: 1 }, time: "soon" };
  await post(demo, "chat/lobby", JSON.stringify(forged));
  await shows(ann, ".theirs p", "soon"); // no line of ours: shown as it stands
  await post(demo, "chat/lobby", JSON.stringify({ ...forged, text: "long ".repeat(1000), time: -1 }));
  await shows(ann, ".theirs", /reversed<b>/);
  await ann.getByRole("button", { name: "Show all" }).click();
  await ann.getByRole("button", { name: "Show less" }).click();
  for (const said of ["null", "[]", "{}", "7", ""]) await post(demo, "chat/lobby", said);
  await post(demo, "chat/lobby/typing", "null");
  await post(demo, "chat/lobby/typing", '{"from":"y","name":7}');
  await shows(ann, "#typing", "somebody is typing");
  assert.equal(await ann.locator("#lines img, #lines i").count(), 0);
});

test("chat: without WebSocket, and without event streams", async (demo) => {
  const [streams, polls] = [await Network.before(demo), await Network.before(demo)];
  Object.assign(streams, { websocket: "refused" });
  Object.assign(polls, { websocket: "refused", sse: "refused" });
  try {
    await duringOutage(async () => {
      const ann = await join(streams, "ann");
      const bob = await join(polls, "bob");
      await connectionIs(ann, "open \u00b7 SSE");
      await connectionIs(bob, "open \u00b7 long poll");
      await shows(ann, "#members li", "bob");
      await shows(bob, "#members li", "ann");
      await say(bob, "One way or");
      await shows(ann, ".theirs", "One way or");
      await ann.getByRole("textbox", { name: "Message" }).pressSequentially("a");
      await shows(bob, "#typing", "ann is typing");
      await say(ann, "another.");
      await shows(bob, ".theirs", "another.");
      await bob.getByRole("button", { name: "Leave" }).click();
      await shows(ann, ".note", "bob left");
      await closeVisitors();
    });
  } finally {
    await Promise.all([streams.end(), polls.end()]);
  }
});

test("chat: how many messages are lost is told where they are missing", async (demo) => {
  const network = await Network.before(demo);
  try {
    const ann = await join(network, "ann");
    await say(ann, "before");
    await shows(ann, ".own:not(.pending)", "before");
    await duringOutage(async () => {
      network.gone = true;
      network.cut();
      await connectionIs(ann, "reconnecting");
      for (let n = 1; n <= 1007; n++) await (await post(demo, "chat/lobby", `number ${n}`)).arrayBuffer(); // a thousand are kept
      network.gone = false;
      await ann.getByRole("button", { name: "Reconnect now" }).click();
      await connectionIs(ann, /^open/);
    });
    await shows(ann, ".theirs", "number 1007");
    await shows(ann, ".note.gap", "7 messages were lost.");
    assert.equal(await ann.locator(".note.gap + .theirs p").textContent(), "number 8");
    await closeVisitors();
  } finally {
    await network.end();
  }
});

test("chat: what a crash of the server may have lost is told", async (demo) => {
  const ann = await join(demo, "ann");
  await say(ann, "before");
  await shows(ann, ".own:not(.pending)", "before");
  await duringOutage(async () => {
    await ann.context().setOffline(true);
    await demo.kill();
    await connectionIs(ann, "offline");
    await shows(ann, "#banner", "No connection");
    await demo.start();
    await post(demo, "chat/lobby", "while she was away");
    await ann.context().setOffline(false);
    await connectionIs(ann, /^open/);
  });
  await shows(ann, ".note.gap", "messages may have been lost");
  await shows(ann, ".theirs", "while she was away");
  assert.equal(await ann.locator("#banner").isVisible(), false);
});

test("chat: rooms do not hear each other, and any name of one will do", async (demo) => {
  const here = await join(demo, "Ann & J\u00fcrgen +1", "the delta");
  const elsewhere = await join(demo, "ann", "history");
  await say(here, "in the delta");
  await shows(here, ".own:not(.pending)", "in the delta");
  await say(elsewhere, "in another");
  await shows(elsewhere, ".own:not(.pending)", "in another");
  assert.equal(await elsewhere.locator(".theirs").count(), 0);
  assert.deepEqual(await members(elsewhere), ["ann"]);
  assert.deepEqual(await members(here), ["Ann & J\u00fcrgen +1"]);
  await shows(here, "#room-name", "the delta");
});

test("chat: a name or message that is too long is refused here, in words", async (demo) => {
  const page = await visit(`${demo.origin}/chat.html`);
  await page.getByLabel("Your name").fill("\u00fc".repeat(33));
  await page.keyboard.press("Enter");
  await shows(page, "#join-hint", "64 bytes at most");
  await connectionIs(page, "not connected");
  await enter(page, "ann");
  await say(page, "x".repeat(4097));
  await shows(page, "#say-hint", "4,097 bytes");
  assert.equal(await page.getByRole("textbox", { name: "Message" }).inputValue(), "x".repeat(4097));
});

test("chat: name and room are remembered", async (demo) => {
  const page = await join(demo, "dora", "weir");
  await page.reload();
  assert.equal(await page.getByLabel("Your name").inputValue(), "dora");
  assert.equal(await page.getByLabel("Room").inputValue(), "weir");
});

test("chat: survives a crash of the server by itself, with what was said meanwhile", async (demo) => {
  const ann = await join(demo, "ann", "", { viewport: phone });
  const bob = await join(demo, "bob");
  await say(bob, "Half the river.");
  await shows(ann, ".theirs", "Half the river.");
  await shows(bob, ".own:not(.pending)", "Half the river.");
  await duringOutage(async () => {
    await demo.kill();
    await connectionIs(ann, "reconnecting");
    await shows(ann, ".note", "reconnecting by itself");
    await say(ann, "kept while the server is away");
    await shows(ann, ".own.pending .fate", "waits for the connection");
    await shows(ann, "#banner", "1 message waits");
    await photograph(ann, "chat-outage-phone");
    const width = await ann.evaluate(() => document.documentElement.scrollWidth);
    assert.ok(width <= phone.width, `the page is ${width} px wide`);
    await demo.start();
    await connectionIs(ann, /^open/);
    await connectionIs(bob, /^open/);
  });
  await shows(ann, ".note", "Connected again");
  await shows(ann, ".note.gap", "lost");
  await shows(bob, ".theirs", "kept while the server is away");
  await shows(ann, ".own:not(.pending)", "kept while the server is away");
  await ann.locator("#members li").nth(1).waitFor();
  assert.deepEqual(await members(ann), ["ann", "bob"]);
  await say(bob, "Welcome back.");
  await shows(ann, ".theirs", "Welcome back.");
  assert.equal(await bob.locator(".theirs").count(), 1);
});

test("chat: who reads above is not pulled down", async (demo) => {
  const ann = await join(demo, "ann", "", { viewport: phone });
  const bob = await join(demo, "bob");
  for (let line = 1; line <= 30; line++) await say(bob, `line ${line}`);
  await shows(ann, ".theirs", "line 30");
  const lines = ann.locator("#lines");
  const frames = () => lines.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
  await frames();
  await lines.evaluate((list) => (list.scrollTop = 0));
  await frames();
  await say(bob, "one more");
  await shows(ann, "#unread", "1 new line below");
  assert.equal(await lines.evaluate((list) => list.scrollTop), 0);
  await ann.getByRole("button", { name: "1 new line below" }).click();
  await ann.locator("#unread").waitFor({ state: "hidden" });
});
