import assert from "node:assert/strict";
import { connectionIs, shows, visit } from "./browser.js";
import { test } from "./runner.js";

async function openConsole(demo) {
  const page = await visit(`${demo.origin}/echo.html`);
  await connectionIs(page, "open");
  return page;
}

const mode = (page, name) => page.locator("#modes").getByText(name).click();

/** The newest received frame, once there are `count` of them. */
async function received(page, count) {
  const frames = page.locator("#log .down");
  await frames.nth(count - 1).waitFor();
  const last = frames.nth(count - 1);
  return {
    type: await last.locator(".type").textContent(),
    size: await last.locator(".size").textContent(),
    time: await last.locator(".time").textContent(),
    body: await last.locator(".body").textContent(),
  };
}

async function sendRandom(page, size, kind) {
  await mode(page, "Random");
  await page.getByLabel("Size").selectOption({ label: size });
  await page.getByLabel("Type").selectOption(kind);
  await page.getByRole("button", { name: "Send random" }).click();
}

test("echo: text comes back with its round trip", async (demo) => {
  const page = await openConsole(demo);
  await page.getByLabel("Message").fill("Gr\u00fc\u00dfe <b>upstream</b> \u{1f41f}");
  await page.getByRole("button", { name: "Send text" }).click();
  const frame = await received(page, 1);
  assert.equal(frame.type, "text");
  assert.equal(frame.size, "28 B");
  assert.equal(frame.body, "Gr\u00fc\u00dfe <b>upstream</b> \u{1f41f}");
  assert.match(frame.time, /^[\d.]+ ms$/);
  await shows(page, "#median", /^[\d.]+ ms$/);
  await shows(page, "#sent", "1");
  await shows(page, "#received", "28 B");
});

test("echo: Enter sends, Shift+Enter makes a new line", async (demo) => {
  const page = await openConsole(demo);
  await page.getByLabel("Message").fill("");
  await page.keyboard.type("one");
  await page.keyboard.press("Shift+Enter");
  await page.keyboard.type("two");
  await page.keyboard.press("Enter");
  assert.equal((await received(page, 1)).body, "one\ntwo");
});

test("echo: bytes in hex, a wrong digit explained, a file", async (demo) => {
  const page = await openConsole(demo);
  await mode(page, "Binary");
  await page.getByLabel("Bytes in hex").fill("0x00ff 68:69");
  await page.getByRole("button", { name: "Send bytes" }).click();
  const frame = await received(page, 1);
  assert.deepEqual([frame.type, frame.size], ["binary", "4 B"]);
  assert.match(frame.body, /^00 ff 68 69 +\u00b7\u00b7hi$/);
  await page.getByLabel("Bytes in hex").fill("0x0g");
  await page.getByRole("button", { name: "Send bytes" }).click();
  await shows(page, "#hex-hint", "Two hex digits make a byte");
  await page.getByLabel("Or a file").setInputFiles({ name: "salmon.bin", mimeType: "application/octet-stream", buffer: Buffer.alloc(2048, 0x41) });
  assert.deepEqual((await received(page, 2)).size, "2 KiB");
});

test("echo: 1 MiB comes back, as text and as bytes", async (demo) => {
  const page = await openConsole(demo);
  await sendRandom(page, "1 MiB", "text");
  assert.deepEqual((await received(page, 1)).size, "1 MiB");
  await sendRandom(page, "1 MiB", "binary");
  const frame = await received(page, 2);
  assert.deepEqual([frame.type, frame.size], ["binary", "1 MiB"]);
});

test("echo: one byte more than 1 MiB is refused with 1009, in words; then it reopens", async (demo) => {
  const page = await openConsole(demo);
  await sendRandom(page, "1 MiB + 1 byte", "binary");
  await shows(page, "#log .event", /close 1009.*Message too big/);
  await connectionIs(page, "closed 1009");
  await page.getByRole("button", { name: "Reopen" }).click();
  await connectionIs(page, "open");
});

test("echo: close with a code and a reason, and reopen", async (demo) => {
  const page = await openConsole(demo);
  await page.getByLabel("Code").fill("4001");
  await page.getByLabel("Reason").fill("gone fishing");
  await page.getByRole("button", { name: "Close", exact: true }).click();
  await shows(page, "#log .event", /close 4001 \u201cgone fishing\u201d.*Private.*Clean\./);
  await connectionIs(page, "closed 4001");
  await page.getByRole("button", { name: "Reopen" }).click();
  await connectionIs(page, "open");
  await page.getByRole("button", { name: "Send text" }).click();
  await received(page, 1);
});

test("echo: codes and reasons that a page may not send are explained and close nothing", async (demo) => {
  const page = await openConsole(demo);
  for (const code of ["1001", "999", "5000", "1000.5", ""]) {
    await page.getByLabel("Code").fill(code);
    await page.getByRole("button", { name: "Close", exact: true }).click();
    await shows(page, "#close-hint", /A page may send 1000 or 3000 to 4999|whole number/);
  }
  await page.getByLabel("Code").fill("1000");
  await page.getByLabel("Reason").fill("\u00e9".repeat(62));
  await page.getByRole("button", { name: "Close", exact: true }).click();
  await shows(page, "#close-hint", "124 bytes");
  await connectionIs(page, "open");
});

test("echo: the keyboard alone is enough", async (demo) => {
  const page = await openConsole(demo);
  const focused = () => page.evaluate(() => document.activeElement?.id || document.activeElement?.textContent);
  const tabTo = async (id) => {
    for (let presses = 0; presses < 30 && (await focused()) !== id; presses++) await page.keyboard.press("Tab");
    assert.equal(await focused(), id);
  };
  await page.keyboard.press("Tab");
  assert.equal(await focused(), "Skip to content");
  const outline = await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
  assert.equal(outline, "solid", "focus is visible");
  await page.keyboard.press("Enter");
  await tabTo("text");
  await page.keyboard.press("Control+A");
  await page.keyboard.type("no mouse in the river");
  await page.keyboard.press("Enter");
  assert.equal((await received(page, 1)).body, "no mouse in the river");
  await tabTo("code");
  await tabTo("close");
  await page.keyboard.press("Enter");
  await connectionIs(page, "closed 1000");
});
