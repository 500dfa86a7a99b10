import assert from "node:assert/strict";
import { connectionIs, duringOutage, phone, photograph, shows, visit } from "./browser.js";
import { test } from "./runner.js";

async function join(demo, name, room = "", options = {}) {
  const page = await visit(`${demo.origin}/chat.html`, options);
  await page.getByLabel("Your name").fill(name);
  await page.getByLabel("Room").fill(room);
  await page.keyboard.press("Enter");
  await connectionIs(page, "open");
  await page.locator("#members li", { hasText: "you" }).waitFor();
  return page;
}

async function say(page, text) {
  await page.getByRole("textbox", { name: "Message" }).fill(text);
  await page.keyboard.press("Enter");
}

const members = async (page) => (await page.locator("#members li").allTextContents()).map((name) => name.replace(" you", ""));

test("chat: two people see each other join, talk and leave", async (demo) => {
  const ann = await join(demo, "ann");
  const bob = await join(demo, "bob");
  await shows(ann, ".note", "bob joined");
  assert.deepEqual(await members(ann), ["ann", "bob"]);
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

test("chat: a taken name gets a number; another room is another world", async (demo) => {
  const first = await join(demo, "ann", "weir");
  const second = await join(demo, "ann", "weir");
  await shows(second, ".note", "you are ann-2");
  assert.deepEqual(await members(first), ["ann", "ann-2"]);
  const elsewhere = await join(demo, "Ann & J\u00fcrgen +1", "the delta");
  assert.deepEqual(await members(elsewhere), ["Ann & J\u00fcrgen +1"]);
  await shows(elsewhere, "#room-name", "the delta");
});

test("chat: a name or room that the server would refuse is refused here, in words", async (demo) => {
  const page = await visit(`${demo.origin}/chat.html`);
  await page.getByLabel("Your name").fill("\u00fc".repeat(33));
  await page.keyboard.press("Enter");
  await shows(page, "#join-hint", "64 bytes at most");
  await connectionIs(page, "not connected");
});

test("chat: name and room are remembered", async (demo) => {
  const page = await join(demo, "dora", "weir");
  await page.reload();
  assert.equal(await page.getByLabel("Your name").inputValue(), "dora");
  assert.equal(await page.getByLabel("Room").inputValue(), "weir");
});

test("chat: survives a crash of the server by itself", async (demo) => {
  const ann = await join(demo, "ann", "", { viewport: phone });
  const bob = await join(demo, "bob");
  await duringOutage(async () => {
    await demo.kill();
    await connectionIs(ann, /reconnecting in \d s|connecting/);
    await shows(ann, ".note", "reconnecting by itself");
    await say(ann, "kept while the server is away");
    await shows(ann, "#say-hint", "kept here");
    await connectionIs(ann, /reconnecting in \d s/);
    await photograph(ann, "chat-outage-phone");
    const width = await ann.evaluate(() => document.documentElement.scrollWidth);
    assert.ok(width <= phone.width, `the page is ${width} px wide`);
    await demo.start();
    await connectionIs(ann, /^open$/);
    await connectionIs(bob, /^open$/);
  });
  await shows(ann, ".note", "Connected again");
  await ann.locator("#members li").nth(1).waitFor();
  assert.deepEqual(await members(ann), ["ann", "bob"]);
  await ann.getByRole("button", { name: "Send" }).click();
  await shows(bob, ".theirs", "kept while the server is away");
  await say(bob, "Welcome back.");
  await shows(ann, ".theirs", "Welcome back.");
});

test("chat: who reads above is not pulled down", async (demo) => {
  const ann = await join(demo, "ann", "", { viewport: phone });
  const bob = await join(demo, "bob");
  for (let line = 1; line <= 30; line++) await say(bob, `line ${line}`);
  await shows(ann, ".theirs", "line 30");
  const lines = ann.locator("#lines");
  await lines.evaluate((list) => (list.scrollTop = 0));
  await lines.evaluate((list) => new Promise((done) => list.scrollTop === 0 && requestAnimationFrame(() => requestAnimationFrame(done))));
  await say(bob, "one more");
  await shows(ann, "#unread", "1 new line below");
  assert.equal(await lines.evaluate((list) => list.scrollTop), 0);
  await ann.getByRole("button", { name: "1 new line below" }).click();
  await ann.locator("#unread").waitFor({ state: "hidden" });
});
