// What a client does when its page goes and comes, and what it leaves behind whenever it ends.

import { test } from "node:test";
import { assert, beginAt, browserSays, codeOf, follow, hubs, numbers, pass, startHub, through, until, ways } from "./support.js";

const later = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** The page is in the background, or not. */
function hide(t, hidden) {
  globalThis.document = { hidden };
  t.after(() => delete globalThis.document);
}

/** Whatever nobody caught while `body` ran. */
async function uncaught(body) {
  const found = [];
  const take = (error) => found.push(error);
  process.on("unhandledRejection", take);
  await body();
  await later(5);
  process.off("unhandledRejection", take);
  return found;
}

// ---- a network that goes away --------------------------------------------------------------------------

for (const { way, transport, begin } of ways()) {
  test(`${way}: offline ends the connection at once, online brings it back`, async (t) => {
    const { hub, client, told } = await begin(t);
    client.subscribe("a", null, { since: "0" });
    await until(() => client.readyState === 1);
    browserSays("offline");
    assert.equal(client.readyState, 0);
    assert.equal(client.transport, "");
    assert.deepEqual(told.errors, ["offline"]);
    await until(() => hub.connections.length === 0);
    await hub.publish("a", "1");
    browserSays("online");
    await until(() => told.data.length === 1);
    assert.equal(client.transport, transport);
    assert.deepEqual(told.gaps, []);
  });

  test(`${way}: what is sent and not answered shows in 8 s that the link is dead`, async (t) => {
    const { hub, clock, client, told } = await begin(t);
    const subscription = client.subscribe("a", null);
    await until(() => subscription.position);
    hub.mute = true;
    const start = clock.now();
    const publishing = [];
    // To go on sending does not put it off.
    await pass(hub, () => {
      if (publishing.length < 5) publishing.push(client.publish("a", String(publishing.length + 1)));
      return told.errors.length > 0;
    });
    assert.deepEqual(told.errors, ["disconnected"]);
    assert.ok(clock.now() - start <= 8_000, String(clock.now() - start));
    hub.mute = false;
    await pass(hub, () => client.bufferedAmount === 0);
    await Promise.all(publishing);
    await hub.rest();
    assert.deepEqual(hub.published.map(({ data }) => data), numbers(1, publishing.length));
  });

  test(`${way}: silence ends the connection within 24 s`, async (t) => {
    const { hub, clock, client, told } = await begin(t);
    const subscription = client.subscribe("a", null);
    await until(() => subscription.position);
    hub.mute = true;
    const start = clock.now();
    await pass(hub, () => told.errors.length > 0);
    assert.ok(clock.now() - start <= 24_000, String(clock.now() - start));
  });

  test(`${way}: a page that comes to the foreground finds a dead link in 4 s, however often it comes`, async (t) => {
    const { hub, clock, client } = await begin(t);
    const subscription = client.subscribe("a", null);
    await until(() => subscription.position);
    hub.mute = true;
    browserSays("visibilitychange");
    clock.advance(4_000);
    assert.equal(client.readyState, 0);
  });
}

test("the browser may be wrong about offline: it is tried again after 5 to 30 s", async (t) => {
  const { hub, clock, client } = await beginAt(t);
  await until(() => client.readyState === 1);
  browserSays("offline");
  assert.ok(clock.next >= 5_000 && clock.next <= 30_000, String(clock.next));
  clock.advance(clock.next);
  await until(() => client.readyState === 1);
});

// ---- a page that goes away -----------------------------------------------------------------------------

for (const { way, begin } of ways(["fake"])) {
  test(`${way}: a page that is kept aside holds no connection, and goes on when it is shown again`, async (t) => {
    const { hub, client, told } = await begin(t);
    const subscription = client.subscribe("a", null);
    await until(() => subscription.position);
    const { upgrades } = hub;
    // In this order.
    browserSays("pagehide");
    hide(t, true);
    browserSays("visibilitychange");
    await until(() => hub.connections.length === 0);
    await later(10);
    assert.equal(hub.connections.length, 0);
    assert.equal(hub.upgrades, upgrades);
    await hub.publish("a", "1");
    hide(t, false);
    browserSays("visibilitychange");
    browserSays("pageshow");
    await until(() => told.data.length === 1);
    assert.deepEqual(told.data, ["1"]);
  });
}

test("a page that goes while it connects stops connecting", async (t) => {
  const { hub, clock, client } = await beginAt(t, { faults: { websocket: "silent" } });
  await until(() => hub.upgrades === 1);
  const requests = hub.requests.length;
  browserSays("pagehide");
  await later(10);
  assert.equal(hub.requests.length, requests);
  assert.equal(clock.pending, 1);
  hub.faults.websocket = "";
  browserSays("pageshow");
  await until(() => client.transport === "websocket");
});

test("a page in the background is not asked for signs of life", async (t) => {
  const { hub, client } = await beginAt(t);
  await until(() => client.readyState === 1);
  await hub.rest();
  const before = hub.requests.length;
  hide(t, true);
  browserSays("visibilitychange");
  await hub.rest();
  assert.equal(hub.requests.length, before);
});

// ---- returning -----------------------------------------------------------------------------------------

for (const kind of hubs) {
  test(`${kind} hub: where WebSocket stays blocked, long polls end when Server-Sent Events get through`, async (t) => {
    const { hub, clock, client, told } = await beginAt(t, { kind, faults: { websocket: "refuse", sse: "refuse" } });
    const subscription = client.subscribe("a", null);
    await until(() => subscription.position && client.transport === "poll");
    hub.faults.sse = "";
    let count = 0;
    while (client.transport !== "sse" || count < 200) {
      await hub.publish("a", String(++count));
      if (count % 7 === 0) clock.advance(100);
      if (count % 5 === 0) await later(1);
    }
    await until(() => told.data.length === count);
    assert.deepEqual(told.data, numbers(1, count));
    assert.deepEqual(told.opened, ["poll", "sse"]);
    assert.deepEqual(told.gaps, []);
    hub.faults.websocket = "";
    await pass(hub, () => client.transport === "websocket");
    await until(() => hub.connections.join() === "websocket");
  });
}

test("a topic that is followed while WebSocket is tried loses nothing by the change", async (t) => {
  const { hub, clock, client, told } = await beginAt(t, { transports: through.sse });
  const subscription = client.subscribe("a", null);
  await until(() => subscription.position);
  hub.faults.websocket = "silent";
  const { upgrades } = hub;
  await pass(hub, () => hub.upgrades > upgrades);
  const other = client.subscribe("b", null);
  await until(() => other.position);
  await hub.publish("b", "1");
  hub.faults.websocket = "";
  await pass(hub, () => client.transport === "websocket");
  await hub.publish("b", "2");
  await until(() => told.data.length === 2);
  assert.deepEqual(told.data, ["1", "2"]);
  assert.deepEqual(told.gaps, []);
  assert.ok(clock.now() > 0);
});

// ---- answers -------------------------------------------------------------------------------------------

for (const { way, begin } of ways()) {
  test(`${way}: answers have what coho.d.ts declares, and no more`, async (t) => {
    const { hub, client } = await begin(t);
    const { pos } = await client.publish("a", "1");
    assert.deepEqual(await client.publish("a", new Uint8Array([2])), { pos: await hub.position("a") });
    const messages = [{ pos, data: "1" }, { pos: await hub.position("a"), data: new Uint8Array([2]) }];
    assert.deepEqual(await client.history("a", 5), { messages, pos: messages[1].pos });
    const subscription = client.subscribe("a", null, { as: { id: "ann", info: 7 } });
    await until(() => subscription.position);
    const presence = await client.presence("a");
    assert.deepEqual(Object.keys(presence), ["members", "pos", "next"]);
    assert.deepEqual(presence.members, [{ id: "ann", info: 7 }]);
    assert.equal(presence.next, undefined);
    const error = await client.publish("a", "x".repeat(70_000)).catch((reason) => reason);
    assert.ok(error instanceof Error);
    assert.deepEqual({ ...error }, { code: "too-big", wait: 0 });
  });

  test(`${way}: who follows a topic twice at once gets all of it where it asked for that`, async (t) => {
    const { hub, client } = await begin(t);
    await until(() => client.readyState === 1);
    for (const n of numbers(1, 3)) await hub.publish("a", n);
    const got = [];
    client.subscribe("a", null);
    client.subscribe("a", ({ data }) => got.push(data), { since: "0" });
    await until(() => got.length === 3);
    assert.deepEqual(got, ["1", "2", "3"]);
  });

  test(`${way}: a handler may go back in another topic`, async (t) => {
    const { hub, client, told } = await begin(t);
    for (const n of numbers(1, 3)) {
      await hub.publish("b", `b${n}`);
      await hub.publish("a", n);
    }
    const got = [];
    let subscription = client.subscribe("b", null, { since: "0" });
    client.subscribe("a", ({ data }) => {
      if (data !== "1") return;
      subscription.unsubscribe();
      subscription = client.subscribe("b", ({ data }) => got.push(data), { since: "0" });
    }, { since: "0" });
    await until(() => got.length === 3 && told.data.includes("3"));
    assert.deepEqual(got, ["b1", "b2", "b3"]);
  });
}

for (const { way, begin } of ways(["fake"])) {
  test(`${way}: a list of members that is long comes in parts`, async (t) => {
    const { hub, client } = await begin(t);
    hub.page = 2;
    for (const id of ["ann", "bob", "cid"]) hub.join("a", { id, info: null });
    const first = await client.presence("a");
    assert.deepEqual(first.members.map(({ id }) => id), ["ann", "bob"]);
    const second = await client.presence("a", first.next);
    assert.deepEqual(second.members.map(({ id }) => id), ["cid"]);
    assert.equal(second.next, undefined);
  });

  test(`${way}: a topic that was full, and is followed again by a new link, is not asked for once more`, async (t) => {
    const { hub, clock, client, told } = await begin(t);
    await hub.occupy("small/a");
    const subscription = client.subscribe("small/a", null);
    const other = client.subscribe("b", null);
    await until(() => told.errors.length === 1 && other.position);
    await hub.vacate("small/a");
    await hub.rest(); // so that there is something to kill
    hub.kill();
    await until(() => client.readyState === 0);
    clock.advance(1_000);
    await until(() => subscription.position || client.readyState === 1);
    clock.advance(15_000);
    await until(() => subscription.position);
    await hub.publish("small/a", "1");
    await until(() => told.data.length === 1);
    assert.deepEqual(told.errors, ["small/a full", "disconnected"]);
  });
}

test("a pattern is no sign that a lesser transport works", async (t) => {
  const { clock, client, told } = await beginAt(t, { faults: { websocket: "refuse", sse: "hold", poll: "hold" } });
  client.subscribe("room/+", null);
  await until(() => told.errors.includes("room/+ unavailable"));
  assert.deepEqual(told.opened, []);
  assert.equal(client.readyState, 0);
  assert.ok(clock.pending > 0);
});

// ---- the end -------------------------------------------------------------------------------------------

for (const { way, begin } of ways(["fake"])) {
  test(`${way}: close() with requests on the way leaves nothing`, async (t) => {
    const { hub, clock, client } = await begin(t);
    const subscription = client.subscribe("a", null);
    await until(() => subscription.position);
    hub.faults.lateAcks = true;
    const codes = Promise.all([codeOf(client.publish("a", "1")), codeOf(client.publish("a", "2"))]);
    await until(() => hub.published.length > 0);
    client.close();
    assert.deepEqual(await codes, ["closed", "closed"]);
    assert.equal(clock.pending, 0);
    assert.equal(client.bufferedAmount, 0);
    await until(() => hub.connections.length === 0);
    await hub.rest(); // what was under way
    const before = hub.requests.length;
    subscription.unsubscribe();
    client.subscribe("b", null);
    for (const type of ["online", "offline", "pageshow", "pagehide", "visibilitychange"]) browserSays(type);
    await later(10);
    assert.equal(hub.requests.length, before);
    assert.equal(clock.pending, 0);
    assert.equal(client.readyState, 3);
  });
}

test("close() in every state is the end, without a word more", async (t) => {
  for (const faults of [{}, { websocket: "silent" }, { websocket: "refuse", sse: "hold" }, { websocket: "refuse", sse: "refuse", poll: "hold" }]) {
    for (const token of [undefined, () => new Promise(() => {}), () => later(5).then(() => "t")]) {
      for (const wait of [0, 2, 10]) {
        const { hub, clock } = await startHub(t);
        Object.assign(hub.faults, faults);
        const told = follow(t, hub.url, clock, { token });
        told.client.subscribe("a", null);
        await later(wait);
        told.client.publish("a", new Blob(["read when it is too late"]));
        told.client.close();
        const { length } = told.log;
        assert.equal(told.log.at(-1), "close 1000");
        assert.equal(clock.pending, 0);
        await later(10);
        await until(() => hub.connections.length === 0);
        assert.equal(told.log.length, length);
        assert.equal(clock.pending, 0);
      }
    }
  }
});

test("a token function may fail with anything, and need not settle", async (t) => {
  for (const reason of ["text", undefined, null, 7, Object.freeze(new Error("frozen")), Object.assign(new Error(), { code: "forbidden" })]) {
    const { hub, client, told } = await beginAt(t, {
      token: (() => {
        let asked = 0;
        return () => (++asked < 4 ? Promise.reject(reason) : "good");
      })(),
    });
    assert.deepEqual(await uncaught(() => pass(hub, () => client.readyState === 1)), []);
    assert.deepEqual(told.errors, ["disconnected"]);
  }
  const { clock, told, hub } = await beginAt(t, { token: () => new Promise(() => {}) });
  await pass(hub, () => told.errors.length > 0);
  assert.ok(clock.now() > 0);
});

test("who does not look at an answer is not told of a rejection", async (t) => {
  const { client } = await beginAt(t);
  const found = await uncaught(() => {
    client.publish("a", "1");
    client.presence("a");
    client.history("a");
    client.publish("a b", "1");
    client.publish("a", null);
    client.close();
  });
  assert.deepEqual(found, []);
});
