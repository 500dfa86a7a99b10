import assert from "node:assert/strict";
import { closeVisitors, connectionIs, duringOutage, photograph, shows, visit } from "./browser.js";
import { Network } from "./network.js";
import { test } from "./runner.js";

const count = 1000;

/** Runs `body` with a network before the demo, whose complaints of the browser are wanted. */
function behindNetwork(name, body) {
  test(name, async (demo) => {
    const network = await Network.before(demo);
    try {
      await duringOutage(() => body(demo, network));
      await closeVisitors();
    } finally {
      await network.end();
    }
  });
}

/** A page whose coho.js follows the numbers of a topic. A busy machine is not taken for a network that carries nothing. */
async function follow(network, options = { timeout: 15_000 }) {
  const page = await visit(`${network.origin}/justws.html`);
  await page.evaluate(async (options) => {
    const { Coho } = await import("/coho.js");
    const client = new Coho("/t/", options);
    Object.assign(window, { client, numbers: [], lost: [], ways: [] });
    client.onopen = () => window.ways.push(client.transport);
    client.ongap = ({ lost }) => window.lost.push(lost);
    client.subscribe("numbers", ({ data }) => window.numbers.push(Number(data)), { since: "0" });
    await new Promise((done) => client.addEventListener("open", done, { once: true }));
  }, options);
  return page;
}

async function publish(demo, first, last) {
  for (let n = first; n <= last; n++) {
    const answer = await fetch(`${demo.origin}/t/numbers`, { method: "POST", body: String(n) });
    assert.equal(answer.status, 200);
    await answer.arrayBuffer();
  }
}

const received = (page, n) => page.waitForFunction((n) => window.numbers.includes(n), n);
const carriedBy = (page, transport) => page.waitForFunction((transport) => window.client.transport === transport, transport);
const numbers = (page) => page.evaluate(() => window.numbers);
const lost = (page) => page.evaluate(() => window.lost);
const ways = (page) => page.evaluate(() => window.ways);
const range = (first, last) => Array.from({ length: last - first + 1 }, (_, i) => first + i);

async function eachOnceInOrder(page) {
  await received(page, count);
  assert.deepEqual(await numbers(page), range(1, count));
  assert.deepEqual(await lost(page), []);
}

const networks = {
  websocket: {},
  sse: { websocket: "refused" },
  poll: { websocket: "refused", sse: "refused" },
};

for (const [transport, faults] of Object.entries(networks)) {
  for (const slow of [false, true]) {
    behindNetwork(`transports: ${count} numbers by ${transport}${slow ? ", slowly" : ""}, each once and in order`, async (demo, network) => {
      Object.assign(network, faults, { slow });
      const page = await follow(network);
      await carriedBy(page, transport);
      await publish(demo, 1, count);
      await eachOnceInOrder(page);
      assert.deepEqual([...new Set(await ways(page))], [transport]);
    });
  }
}

behindNetwork("transports: what opens and then carries nothing is left, too", async (demo, network) => {
  Object.assign(network, { websocket: "swallowed", sse: "swallowed" });
  const page = await follow(network, { timeout: 500 });
  await carriedBy(page, "poll");
  await publish(demo, 1, count);
  await eachOnceInOrder(page);
  assert.deepEqual([...new Set(await ways(page))], ["poll"]);
});

behindNetwork("transports: from one to the next and back, each number once and in order", async (demo, network) => {
  const page = await follow(network);
  /** While a fifth of the numbers is published the network changes, and another transport takes over. */
  const stage = async (part, change, transport) => {
    const [first, last] = [(part * count) / 5 + 1, ((part + 1) * count) / 5];
    const publishing = publish(demo, first, last);
    await received(page, first);
    await change();
    await publishing;
    await carriedBy(page, transport);
  };
  const change = (faults) => () => {
    Object.assign(network, faults);
    network.cut();
  };
  await stage(0, change({ websocket: "refused" }), "sse");
  await stage(1, change({ sse: "refused" }), "poll");
  await stage(2, change({ slow: true }), "poll");
  await stage(3, async () => {
    Object.assign(network, { websocket: "passes", sse: "passes" });
    await page.evaluate(() => window.dispatchEvent(new Event("online"))); // or wait for half a minute
  }, "websocket");
  await stage(4, change({ slow: false }), "websocket");
  await eachOnceInOrder(page);
});

behindNetwork("transports: links that are cut again and again lose nothing", async (demo, network) => {
  const page = await follow(network);
  const publishing = publish(demo, 1, count);
  for (let n = 100; n < count; n += 100) {
    await received(page, n);
    network.cut();
  }
  await publishing;
  await eachOnceInOrder(page);
});

behindNetwork("transports: who was away for longer than the hub remembers is told how many are lost", async (demo, network) => {
  const page = await follow(network);
  await publish(demo, 1, 10);
  await received(page, 10);
  network.gone = true;
  network.cut();
  await page.waitForFunction(() => window.client.readyState === 0);
  await publish(demo, 11, count + 20); // the hub keeps a thousand
  network.gone = false;
  await page.evaluate(() => window.dispatchEvent(new Event("online")));
  await received(page, count + 20);
  assert.deepEqual(await lost(page), [10]);
  assert.deepEqual(await numbers(page), [...range(1, 10), ...range(21, count + 20)]);
});

for (const [transport, faults] of Object.entries(networks)) {
  behindNetwork(`transports: a crash of the server is a gap by ${transport}, and then it goes on`, async (demo, network) => {
    Object.assign(network, faults);
    const page = await follow(network);
    await publish(demo, 1, 10);
    await received(page, 10);
    await demo.kill();
    await page.waitForFunction(() => window.client.readyState === 0);
    await demo.start();
    await publish(demo, 11, 20);
    await page.evaluate(() => window.dispatchEvent(new Event("online")));
    await received(page, 20);
    assert.deepEqual(await lost(page), [null]);
    assert.deepEqual(await numbers(page), range(1, 20));
  });
}

/* ---- the page ---- */

/** By keyboard. */
async function flip(page, card) {
  await page.locator(`[data-transport=${card}] [role=switch]`).focus();
  await page.keyboard.press("Space");
}

const figure = (page, id) => page.locator(`#${id}`).textContent();
const carries = (page, card) => page.locator(`[data-transport=${card}][data-use=yes]`).waitFor();
const cells = (page, kind, n) => page.locator(`#strip .${kind}`).nth(n - 1).waitFor();

async function sound(page) {
  await shows(page, "#verdict", "Each exactly once, in order");
  for (const id of ["missing", "duplicates", "late", "gaps"]) assert.equal(await figure(page, id), "0", id);
}

test("transports: the page goes on when WebSocket is switched off, and SSE, and returns", async (demo) => {
  const page = await visit(`${demo.origin}/transports.html`);
  await connectionIs(page, /^open$/);
  await cells(page, "websocket", 5);
  await flip(page, "websocket");
  await carries(page, "sse");
  await connectionIs(page, "open \u00b7 SSE");
  await cells(page, "sse", 5);
  await flip(page, "sse");
  await carries(page, "poll");
  await connectionIs(page, "open \u00b7 long poll");
  await cells(page, "poll", 5);
  await flip(page, "websocket");
  await carries(page, "websocket");
  await connectionIs(page, /^open$/);
  await shows(page, "#events", /You switched WebSocket off.*Server-Sent Events carries the page.*Long poll carries the page.*WebSocket carries the page/);
  await page.getByRole("button", { name: "Pause" }).click();
  await shows(page, "#waiting", /^0$/);
  await sound(page);
  assert.equal(await figure(page, "published"), await figure(page, "received"));
  await photograph(page, "transports-all", true);
});

test("transports: the page says so when the server forgets", async (demo) => {
  const page = await visit(`${demo.origin}/transports.html`);
  await cells(page, "websocket", 5);
  await duringOutage(async () => {
    await demo.kill();
    await connectionIs(page, "reconnecting");
    await demo.start();
    await connectionIs(page, /^open/);
  });
  await shows(page, "#events", "Gap: the server knows no history");
  await shows(page, "#events", "The count goes on");
  await shows(page, "#verdict", /In order; \d+ missing, as told/);
  await shows(page, "#gaps", "1");
});
