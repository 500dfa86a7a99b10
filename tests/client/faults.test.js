// What a client does when the network, the hub or the token breaks.

import { test } from "node:test";
import { assert, beginAt, browserSays, codeOf, follow, hubs, newNetwork, numbers, pass, startHub, through, until, ways } from "./support.js";

const open = (t, faults = {}, options = {}) => beginAt(t, { faults, ...options });

// ---- falling back ------------------------------------------------------------------------------------

const blocked = [
  ["refused", { websocket: "refuse" }, "sse", false],
  ["open but silent", { websocket: "silent" }, "sse", true],
  ["open, then dead", { websocket: "die" }, "sse", false],
  ["refused, event streams refused", { websocket: "refuse", sse: "refuse" }, "poll", false],
  ["refused, event streams held back", { websocket: "refuse", sse: "hold" }, "poll", true],
  ["refused, event streams buffered", { websocket: "refuse", sse: "buffer" }, "poll", true],
  ["silent, event streams buffered", { websocket: "silent", sse: "buffer" }, "poll", true],
];
for (const [kind, [how, faults, then, takesTime]] of hubs.flatMap((kind) => blocked.map((row) => [kind, row]))) {
  test(`${kind} hub: WebSocket ${how}: ${then} takes over`, async (t) => {
    const { hub, client, told } = await open(t, faults, { kind });
    client.subscribe("a", null, { since: "0" });
    const publishing = client.publish("a", "1");
    if (takesTime) await pass(hub, () => client.readyState === 1);
    else await until(() => client.readyState === 1);
    assert.equal(client.transport, then);
    await publishing;
    await hub.publish("a", "2");
    await until(() => told.data.length === 2);
    assert.deepEqual(told.data, ["1", "2"]);
  });
}

test("a stream that was not needed at first is given up when it turns out not to work", async (t) => {
  const { hub, clock, client } = await open(t, { websocket: "refuse", sse: "buffer" });
  await until(() => client.readyState === 1);
  const subscription = client.subscribe("a", null);
  await pass(hub, () => subscription.position);
  assert.equal(client.transport, "poll");
});

for (const kind of hubs) {
  test(`${kind} hub: everything slow, but not too slow: WebSocket stays`, async (t) => {
    const { hub, client, told } = await open(t, { delay: kind === "fake" ? 3000 : 1900 }, { kind });
    client.subscribe("a", null, { since: "0" });
    for (const n of numbers(1, 5)) client.publish("a", n);
    await pass(hub, () => told.data.length === 5 && client.bufferedAmount === 0);
    assert.equal(client.transport, "websocket");
    assert.deepEqual(told.errors, []);
  });
}

test("what worked is remembered for the network", async (t) => {
  const { hub, clock, client } = await open(t, { websocket: "refuse" });
  await until(() => client.transport === "sse");
  client.close();
  const before = hub.activity;
  hub.faults.websocket = "silent";
  const second = follow(t, hub.url, clock);
  await until(() => second.client.transport === "sse");
  assert.ok(hub.activity > before);
  second.client.close();
  newNetwork();
  hub.faults.websocket = "";
  const third = follow(t, hub.url, clock);
  await until(() => third.client.transport === "websocket");
});

// ---- returning ---------------------------------------------------------------------------------------

for (const [kind, transport] of hubs.flatMap((kind) => [[kind, "sse"], [kind, "poll"]])) {
  test(`${kind} hub: from ${transport} back to WebSocket, without loss or duplicate`, async (t) => {
    const { hub, clock, client, told } = await beginAt(t, { kind, transports: through[transport] });
    const subscriptions = ["a", "b", "c"].map((topic) => client.subscribe(topic, null));
    await until(() => client.transport === transport && subscriptions.every(({ position }) => position));
    hub.faults.websocket = "";
    let count = 0;
    while (client.transport !== "websocket" || count < 400) {
      await hub.publish("abc"[count % 3], String(count++));
      if (count % 7 === 0) clock.advance(100);
      if (count % 5 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    }
    await until(() => told.data.length === count);
    for (const [i, topic] of ["a", "b", "c"].entries()) {
      const got = told.log.filter((line) => line.startsWith(`message ${topic} `)).map((line) => Number(line.split(" ")[3]));
      assert.deepEqual(got, Array.from({ length: got.length }, (_, n) => 3 * n + i));
    }
    await until(() => hub.connections.join() === "websocket");
    assert.deepEqual(told.opened, [transport, "websocket"]);
    assert.deepEqual(told.errors, []);
    assert.deepEqual(told.gaps, []);
  });
}

test("attempts to return come at 10 s and then ever less often, until every 5 min", async (t) => {
  const { hub, clock, client } = await open(t, { websocket: "refuse" });
  const times = [];
  client.subscribe("a", null);
  await until(() => client.transport === "sse");
  hub.faults.websocket = "silent";
  let last = clock.now();
  while (times.length < 8) {
    const before = hub.upgrades;
    await pass(hub, () => hub.upgrades > before);
    times.push(clock.now() - last);
    last = clock.now();
  }
  assert.ok(times[0] >= 5_000 && times[0] <= 15_000, String(times));
  for (const time of times.slice(-2)) assert.ok(time >= 150_000 && time <= 460_000, String(times));
});

test("an attempt to return that dies half-way costs nothing", async (t) => {
  const { hub, clock, client, told } = await open(t, { websocket: "refuse" });
  const a = client.subscribe("a", null);
  const b = client.subscribe("b", null);
  await until(() => client.transport === "sse" && a.position && b.position);
  hub.faults.websocket = "";
  // The hub never says ok for b, and dies.
  hub.faults.refuse = (what, topic) => {
    if (what !== "sub" || topic !== "b" || !hub.connections.includes("websocket")) return undefined;
    hub.faults.websocket = "die";
    hub.faults.refuse = () => undefined;
    hub.closeAll(1011);
    throw Object.assign(new Error(), { code: undefined, silent: true });
  };
  clock.advance(15_000);
  await until(() => hub.faults.websocket === "die");
  await hub.publish("a", "1");
  await hub.publish("b", "2");
  await until(() => told.data.length === 2);
  assert.deepEqual(told.data.sort(), ["1", "2"]);
  assert.equal(client.transport, "sse");
});

// ---- hubs that restart, forget, repeat, and are late ---------------------------------------------------

for (const { way, transport, begin } of ways()) {
  test(`${way}: a hub that restarts is a gap of unknown size, and life goes on`, async (t) => {
    const { hub, client, told } = await begin(t);
    const subscription = client.subscribe("a", null);
    await until(() => subscription.position);
    await hub.publish("a", "1");
    await until(() => told.data.length === 1);
    await hub.restart();
    await hub.publish("a", "2");
    await pass(hub, () => told.data.length === 2);
    assert.deepEqual(told.data, ["1", "2"]);
    assert.deepEqual(told.gaps.map(({ lost }) => lost), [null]);
    assert.equal(subscription.position, await hub.position("a"));
    assert.equal(client.transport, transport);
  });

  test(`${way}: trimmed history is a gap with the true number`, async (t) => {
    const { hub, client, told } = await begin(t);
    const subscription = client.subscribe("short/a", null);
    await until(() => subscription.position);
    await hub.publish("short/a", "1");
    await until(() => told.data.length === 1);
    await hub.disconnect();
    for (const n of numbers(2, 20)) await hub.publish("short/a", n);
    await hub.reconnect();
    await pass(hub, () => told.data.length === 4);
    assert.deepEqual(told.data, ["1", "18", "19", "20"]);
    const [epoch] = (await hub.position("short/a")).split(".");
    assert.deepEqual(told.gaps, [{ topic: "short/a", lost: 16, pos: `${epoch}.17` }]);
  });

  test(`${way}: a position of the future is a gap`, async (t) => {
    const { hub, client, told } = await begin(t);
    const [epoch] = (await hub.publish("a", "1")).split(".");
    client.subscribe("a", null, { since: `${epoch}.99` });
    await until(() => told.data.length === 1);
    await hub.publish("a", "2");
    await until(() => told.data.length === 2);
    assert.deepEqual(told.gaps.map(({ lost }) => lost), [null]);
    assert.deepEqual(told.data, ["1", "2"]);
  });

  test(`${way}: an acknowledgement that is lost does not publish twice`, async (t) => {
    const { hub, client } = await begin(t);
    await until(() => client.readyState === 1);
    hub.faults.lateAcks = true;
    const publishing = Promise.all(numbers(1, 5).map((n) => client.publish("a", n)));
    await until(() => hub.published.length >= 1);
    hub.kill();
    hub.faults.lateAcks = false;
    await pass(hub, () => client.bufferedAmount === 0);
    const answers = await publishing;
    await hub.rest();
    assert.deepEqual(hub.published.map(({ data }) => data), numbers(1, 5));
    assert.deepEqual(answers.map(({ pos }) => pos.split(".")[1]), numbers(1, 5));
  });

  test(`${way}: what was sent and not answered for 5 minutes is not repeated`, async (t) => {
    const { hub, clock, client } = await begin(t);
    await until(() => client.readyState === 1);
    hub.faults.lateAcks = true;
    const code = codeOf(client.publish("a", "1"));
    await until(() => hub.published.length === 1);
    await hub.disconnect();
    hub.faults.lateAcks = false;
    await pass(hub, () => clock.now() > 1_700_000_300_000);
    await hub.reconnect();
    await pass(hub, () => client.bufferedAmount === 0);
    assert.equal(await code, "unknown");
    await hub.rest();
    assert.equal(hub.published.length, 1);
  });

  test(`${way}: silence is followed by a ping, and that by the end of the link`, async (t) => {
    const { hub, clock, client, told } = await begin(t);
    const subscription = client.subscribe("a", null);
    await until(() => subscription.position);
    const start = clock.now();
    hub.mute = true;
    await pass(hub, () => told.errors.length > 0);
    assert.equal(told.errors[0], "disconnected");
    assert.ok(clock.now() - start <= 36_000, String(clock.now() - start));
    hub.mute = false;
    await hub.publish("a", "1");
    await pass(hub, () => told.data.length === 1);
  });

  test(`${way}: ten quiet minutes are ten minutes of staying connected`, async (t) => {
    const { hub, clock, client, told } = await begin(t);
    const subscription = client.subscribe("a", null);
    await until(() => subscription.position);
    await pass(hub, () => clock.now() > 1_700_000_000_000 + 600_000);
    await hub.publish("a", "1");
    await until(() => told.data.length === 1);
    assert.deepEqual(told.errors, []);
    assert.deepEqual(told.opened, [transport]);
  });

  test(`${way}: a page that sleeps for an hour wakes up to a gap with the true number`, async (t) => {
    const { hub, clock, client, told } = await begin(t);
    client.subscribe("short/a", null, { since: "0" });
    await hub.publish("short/a", "1");
    await until(() => told.data.length === 1);
    // The connections died meanwhile, the timers stood still.
    hub.mute = true;
    for (const n of numbers(2, 20)) await hub.publish("short/a", n);
    clock.sleep(3_600_000);
    hub.mute = false;
    browserSays("visibilitychange");
    await pass(hub, () => told.data.length === 4);
    assert.deepEqual(told.data, ["1", "18", "19", "20"]);
    assert.deepEqual(told.gaps.map(({ lost }) => lost), [16]);
    assert.equal(client.transport, transport);
  });
}

// The real hub says nothing twice.
for (const { way, begin } of ways(["fake"])) {
  test(`${way}: what comes twice is told once`, async (t) => {
    const { hub, client, told } = await begin(t);
    hub.faults.duplicate = true;
    const subscription = client.subscribe("a", null);
    await until(() => subscription.position);
    for (const n of numbers(1, 20)) await hub.publish("a", n);
    await client.publish("a", "21");
    await until(() => told.data.length >= 21);
    assert.deepEqual(told.data, numbers(1, 21));
  });
}

// ---- backing off ---------------------------------------------------------------------------------------

test("attempts to connect come ever less often, to 30 s, at random times", async (t) => {
  const { hub, clock, told, client } = await open(t);
  await hub.disconnect();
  const waits = [];
  while (waits.length < 12) {
    await until(() => told.errors.length === waits.length + 1);
    waits.push(clock.next);
    clock.advance(clock.next);
  }
  for (const [i, wait] of waits.entries()) assert.ok(wait <= Math.min(30_000, 1000 * 2 ** i), String(waits));
  assert.ok(Math.max(...waits.slice(5)) > 10_000, String(waits));
  assert.equal(new Set(waits).size, waits.length);
  assert.equal(client.readyState, 0);
});

test("Retry-After is waited for, as seconds and as a date", async (t) => {
  for (const retryAfter of [60, new Date(1_700_000_060_000).toUTCString()]) {
    const { hub, clock, told, client } = await open(t, { websocket: "refuse" });
    hub.faults.refuse = (what) => (what === "connect" ? { code: "full", retryAfter } : undefined);
    await until(() => told.errors.length === 1);
    assert.ok(clock.next >= 60_000 && clock.next <= 68_000, String(clock.next));
    client.close();
    await hub.disconnect();
    await hub.reconnect();
  }
});

test("a Retry-After of years is an hour", async (t) => {
  const { hub, clock, told } = await open(t, { websocket: "refuse" });
  hub.faults.refuse = () => ({ code: "too-many", retryAfter: 1e9 });
  await pass(hub, () => told.errors.length === 1);
  assert.ok(clock.next <= 3_600_000, String(clock.next));
});

// The registry of close codes wants 5 to 30 s after 1012.
const later = [5_000, 30_000];
for (const [code, [least, most]] of Object.entries({ 1001: [0, 1_000], 1008: later, 1012: later, 1013: later, 4408: [0, 0], 4429: later })) {
  test(`closed with ${code}: comes back after ${least} to ${most} ms by the same transport`, async (t) => {
    const { hub, clock } = await startHub(t);
    let chance = 0;
    clock.random = () => chance;
    const told = follow(t, hub.url, clock);
    const { client } = told;
    const subscription = client.subscribe("a", null);
    await until(() => subscription.position);
    for (const wait of [least, most]) {
      clock.advance(20_000); // a link that lasted
      hub.closeAll(Number(code));
      await until(() => client.readyState === 0);
      assert.equal(clock.next, wait);
      clock.advance(wait);
      await until(() => client.readyState === 1);
      chance = 1;
    }
    await hub.publish("a", "1");
    await until(() => told.data.length === 1);
    assert.deepEqual(told.opened, ["websocket", "websocket", "websocket"]);
    assert.deepEqual(told.gaps, []);
  });
}

test("real hub: stopped with 1012 and started again: clients come back later, with a gap", async (t) => {
  const { hub, clock, client, told } = await beginAt(t, { kind: "real" });
  const subscription = client.subscribe("a", null);
  await until(() => subscription.position);
  await hub.restart("SIGTERM");
  await until(() => client.readyState === 0);
  assert.ok(clock.next >= 5_000 && clock.next <= 30_000, String(clock.next));
  await hub.publish("a", "1");
  await pass(hub, () => told.data.length === 1);
  assert.deepEqual(told.log.slice(0, 3), ["open websocket", "error undefined unavailable", "open websocket"]);
  assert.deepEqual(told.gaps.map(({ lost }) => lost), [null]);
});

test("a link that dies again and again is given up for another kind", async (t) => {
  const { hub, clock, client, told } = await open(t);
  client.subscribe("a", null);
  const kill = () => hub.closeAll(1011);
  client.addEventListener("open", () => client.transport === "websocket" && setImmediate(kill));
  await pass(hub, () => client.transport === "sse");
  assert.deepEqual(told.opened, ["websocket", "websocket", "websocket", "sse"]);
});

test("closed with 1009: the biggest message is rejected, the others are published", async (t) => {
  const { hub, clock, client } = await open(t);
  await until(() => client.readyState === 1);
  hub.closeOnBytes = 5000;
  const big = codeOf(client.publish("a", "x".repeat(6000)));
  const small = client.publish("a", "small");
  await pass(hub, () => client.bufferedAmount === 0);
  assert.equal(await big, "too-big");
  await small;
  assert.deepEqual(hub.published.map(({ data }) => data), ["small"]);
});

test("nothing is sent while the socket holds more than the mark", async (t) => {
  const { hub, clock } = await startHub(t);
  const { WebSocket } = await import("ws");
  let buffered = 0;
  class Slow extends WebSocket {
    get bufferedAmount() {
      return buffered;
    }
  }
  const { client } = follow(t, hub.url, clock, { WebSocket: Slow, highWaterMark: 1000 });
  await until(() => client.readyState === 1);
  buffered = 1001;
  const publishing = client.publish("a", "1");
  clock.advance(500);
  assert.equal(hub.published.length, 0);
  buffered = 1000;
  clock.advance(50);
  await publishing;
});

// ---- who may -------------------------------------------------------------------------------------------

for (const { way, transport, begin } of ways(["real"])) {
  const may = [];

  test(`${way}: the token is sent, from a string or a function`, async (t) => {
    const { hub, clock, client } = await begin(t, { may: ["a"] });
    const subscription = client.subscribe("a", null);
    await until(() => subscription.position);
    await client.publish("a", "1");
    const token = async () => hub.token({ sub: [], pub: ["a"] });
    const { client: other } = follow(t, hub.url, clock, { transports: through[transport], token });
    await other.publish("a", "2");
    await hub.rest();
    assert.equal(hub.published.length, 2);
  });

  test(`${way}: a token that is refused is asked for once more, then the client ends`, async (t) => {
    const { hub, clock } = await begin(t, { may });
    const given = ["bad", hub.token(), "never"];
    const { client } = follow(t, hub.url, clock, { transports: through[transport], token: () => given.shift() });
    await client.publish("a", "1");
    assert.deepEqual(given, ["never"]);
    let asked = 0;
    const none = follow(t, hub.url, clock, { transports: through[transport], token: () => `bad ${asked++}` });
    const publishing = codeOf(none.client.publish("a", "2"));
    await until(() => none.client.readyState === 3);
    assert.equal(asked, 2);
    assert.equal(await publishing, "unauthorized");
    assert.deepEqual(none.log, ["error undefined unauthorized", "close 4401"]);
  });

  test(`${way}: without the token that is needed, the client ends`, async (t) => {
    const { hub, clock } = await begin(t, { may });
    const { client, log } = follow(t, hub.url, clock, { transports: through[transport] });
    client.subscribe("a", null);
    await until(() => client.readyState === 3, "the end");
    assert.equal(log.at(-1), "close 4401");
  });

  test(`${way}: a token that expires is replaced, and nothing is lost`, async (t) => {
    const { hub, clock } = await begin(t, { may });
    // Of the leeway of half a minute two seconds are left.
    const given = [hub.token({ seconds: -28 }), hub.token(), "never"];
    const told = follow(t, hub.url, clock, { transports: through[transport], token: () => given.shift() });
    told.client.subscribe("a", null, { since: "0" });
    await hub.publish("a", "1");
    await until(() => told.data.length === 1);
    await until(() => given.length === 1);
    await told.client.publish("a", "2");
    await hub.publish("a", "3");
    await until(() => told.data.length === 3);
    assert.deepEqual(told.data, ["1", "2", "3"]);
    assert.deepEqual(told.errors, []);
    assert.deepEqual(told.gaps, []);
  });
}

for (const [transport, transports] of Object.entries(through)) {
  const begin = async (t, tokens, options) => {
    const { hub, clock } = await startHub(t, { tokens: new Set(tokens) });
    if (transports) hub.faults.websocket = "refuse";
    const told = follow(t, hub.url, clock, { transports, ...options });
    return { hub, clock, told, client: told.client };
  };

  test(`fake hub, ${transport}: the token is sent, from a string or a function`, async (t) => {
    const { hub, clock, client } = await begin(t, ["good"], { token: "good" });
    const subscription = client.subscribe("a", null);
    await until(() => subscription.position);
    await client.publish("a", "1");
    const { client: other } = follow(t, hub.url, clock, { transports, token: async () => "good" });
    await other.publish("a", "2");
    assert.equal(hub.published.length, 2);
  });

  test(`fake hub, ${transport}: a token that is refused is asked for once more`, async (t) => {
    const given = ["old", "new", "never"];
    const { client } = await begin(t, ["new"], { token: () => given.shift() });
    await client.publish("a", "1");
    assert.deepEqual(given, ["never"]);
  });

  test(`fake hub, ${transport}: when no token is good, the client ends`, async (t) => {
    let asked = 0;
    const { client, told } = await begin(t, [], { token: () => `bad ${asked++}` });
    const publishing = codeOf(client.publish("a", "1"));
    await until(() => client.readyState === 3);
    assert.equal(asked, 2);
    assert.equal(await publishing, "unauthorized");
    assert.deepEqual(told.log, ["error undefined unauthorized", "close 4401"]);
  });

  test(`fake hub, ${transport}: a string that is refused is not tried again`, async (t) => {
    const { client, told } = await begin(t, [], { token: "bad" });
    await until(() => client.readyState === 3);
    assert.equal(told.log.at(-1), "close 4401");
  });

  test(`fake hub, ${transport}: a token that expires is replaced in time`, async (t) => {
    let asked = 0;
    const { hub, client, told } = await begin(t, ["token 1", "token 2"], { token: () => `token ${++asked}` });
    const subscription = client.subscribe("a", null);
    await until(() => subscription.position);
    hub.tokens.delete("token 1");
    hub.say({ op: "expiring", in: 30 });
    if (transport === "poll") await hub.publish("a", "0");
    await until(() => asked === 2);
    await client.publish("a", "1");
    assert.deepEqual(told.errors, []);
  });

  test(`fake hub, ${transport}: a token function that fails is called again after a while`, async (t) => {
    let asked = 0;
    const token = () => (++asked < 6 ? Promise.reject(new Error("no network")) : "good");
    const { hub, clock, client } = await begin(t, ["good"], { token });
    await pass(hub, () => client.readyState === 1);
    assert.equal(asked, 6);
  });
}

test("closed with 4403: the end", async (t) => {
  const { hub, client, told } = await open(t);
  await until(() => client.readyState === 1);
  hub.closeAll(4403, "not you");
  await until(() => client.readyState === 3);
  assert.deepEqual(told.log, ["open websocket", "error undefined forbidden", "close 4403"]);
});

// ---- the browser ---------------------------------------------------------------------------------------

test("online: at once, instead of after the back-off", async (t) => {
  const { hub, client, told } = await open(t);
  await hub.disconnect();
  await until(() => told.errors.length === 1);
  await hub.reconnect();
  browserSays("online");
  await until(() => client.readyState === 1);
});

test("online: a link that died in silence is found out, another way back is tried", async (t) => {
  const { hub, clock, client } = await open(t, { websocket: "refuse" });
  client.subscribe("a", null);
  await until(() => client.transport === "sse");
  hub.faults.websocket = "";
  browserSays("online");
  await until(() => client.transport === "websocket");
  hub.mute = true;
  browserSays("visibilitychange");
  clock.advance(10_000);
  await until(() => client.readyState === 0);
});

test("after close() nothing is left: no timer, no listener, no connection", async (t) => {
  const { hub, clock, client } = await open(t);
  const subscription = client.subscribe("a", null);
  await until(() => subscription.position);
  client.close();
  client.close();
  assert.equal(clock.pending, 0);
  browserSays("online");
  await until(() => hub.connections.length === 0);
  assert.equal(client.readyState, 3);
  subscription.unsubscribe();
});
