import assert from "node:assert/strict";
import { connectionIs, desktop, phone, photograph, visit } from "./browser.js";
import { test } from "./runner.js";

/** What makes each page worth a picture. */
const scenes = {
  index: async (page) => page.locator("#wire-time", { hasText: "ms" }).waitFor(),
  echo: async (page) => {
    await connectionIs(page, "open");
    await page.getByRole("button", { name: "Send text" }).click();
    await page.locator("#log .down").waitFor();
  },
  chat: async (page) => {
    await page.getByLabel("Your name").fill("ann");
    await page.keyboard.press("Enter");
    await connectionIs(page, "open");
    await page.getByRole("textbox", { name: "Message" }).fill("Anyone upstream today?");
    await page.keyboard.press("Enter");
    await page.locator(".own:not(.pending)").waitFor();
  },
  stocks: async (page) => {
    await page.locator("tr.subscribed").nth(3).waitFor();
    const drawn = await page.locator("#chart canvas").evaluate((canvas) => canvas.toDataURL());
    await page.waitForFunction((drawn) => document.querySelector("#chart canvas").toDataURL() !== drawn, drawn);
    await page.getByRole("switch", { name: "Slow client" }).click();
    await page.getByLabel("asks every").selectOption("1");
    await page.locator("#slow-said li").first().waitFor();
  },
  stats: async (page) => {
    await page.locator("#uptime", { hasText: /Up ([3-9]|\d\d+) s/ }).waitFor(); // enough to draw a line
  },
  transports: async (page) => {
    await page.locator("#strip .websocket").nth(9).waitFor();
    await page.getByRole("switch").first().click();
    await page.locator("#strip .sse").nth(9).waitFor();
  },
  justws: async (page) => page.locator("#log", { hasText: "message:" }).waitFor(),
};

for (const [name, scene] of Object.entries(scenes)) {
  test(`looks: ${name} fits phone and desktop, in light and dark`, async (demo) => {
    const grounds = new Set();
    for (const [device, viewport] of Object.entries({ phone, desktop })) {
      for (const colorScheme of ["light", "dark"]) {
        const page = await visit(`${demo.origin}/${name === "index" ? "" : `${name}.html`}`, { viewport, colorScheme });
        await scene(page);
        await photograph(page, `${name}-${device}-${colorScheme}`, device === "phone");
        const width = await page.evaluate(() => document.documentElement.scrollWidth);
        assert.ok(width <= viewport.width, `${device}: the page is ${width} px wide`);
        grounds.add(await page.evaluate(() => getComputedStyle(document.body).backgroundColor));
      }
    }
    if (name !== "justws") assert.equal(grounds.size, 2, "light and dark differ");
  });
}
