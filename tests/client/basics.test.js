// What a client does when nothing breaks, by each transport.

import { test } from "node:test";
import { assert, beginAt, codeOf, follow, hubs, numbers, pass, startHub, through, until, ways } from "./support.js";

for (const { way, transport, begin } of ways()) {
  test(`${way}: opens, and says by what`, async (t) => {
    const { client, told } = await begin(t);
    assert.equal(client.readyState, 0);
    await until(() => client.readyState === 1);
    assert.equal(client.transport, transport);
    assert.deepEqual(told.opened, [transport]);
  });

  test(`${way}: messages come in order, to the function and as events`, async (t) => {
    const { hub, client, told } = await begin(t);
    const got = [];
    const subscription = client.subscribe("room/tea", ({ data }) => got.push(data));
    await until(() => subscription.position);
    for (const n of numbers(1, 50)) await hub.publish("room/tea", n);
    await hub.publish("room/other", "no");
    await until(() => got.length >= 50);
    assert.deepEqual(got, numbers(1, 50));
    assert.deepEqual(told.data, got);
    assert.equal(subscription.position, await hub.position("room/tea"));
    assert.deepEqual(told.gaps, []);
  });

  test(`${way}: text and bytes arrive as they were published`, async (t) => {
    const { client } = await begin(t);
    const got = [];
    client.subscribe("a", ({ data }) => got.push(data), { since: "0" });
    const bytes = Uint8Array.from({ length: 256 }, (_, i) => i);
    const sent = ["", "line\nline\r\n\u{1f41f}", bytes, bytes.buffer, new Blob([bytes]), "\ufeffx", "lone \ud800"];
    for (const data of sent) client.publish("a", data);
    await until(() => got.length === sent.length);
    assert.deepEqual(got, ["", sent[1], bytes, bytes, bytes, "\ufeffx", "lone \ufffd"]);
  });

  test(`${way}: publish tells the position, in the order of the calls`, async (t) => {
    const { hub, client } = await begin(t);
    const answers = await Promise.all([new Blob(["1"]), "2", "3"].map((data) => client.publish("a", data)));
    const [epoch] = (await hub.position("a")).split(".");
    assert.deepEqual(answers.map(({ pos }) => pos), [1, 2, 3].map((n) => `${epoch}.${n}`));
    assert.equal(client.bufferedAmount, 0);
  });

  test(`${way}: since goes on there; since 0 is all that is held`, async (t) => {
    const { hub, client, told } = await begin(t);
    const positions = await Promise.all(numbers(1, 9).map((n) => hub.publish("a", n)));
    const from = [];
    const all = [];
    client.subscribe("a", ({ data }) => from.push(data), { since: positions[5] });
    await until(() => from.length === 3);
    await hub.publish("b", "x");
    client.subscribe("b", ({ data }) => all.push(data), { since: "0" });
    await until(() => all.length === 1);
    assert.deepEqual(from, ["7", "8", "9"]);
    assert.deepEqual(told.gaps, []);
  });

  test(`${way}: a second follower from further back gets what the first does not get again`, async (t) => {
    const { hub, client, told } = await begin(t);
    const first = [];
    const second = [];
    const third = [];
    for (const n of numbers(1, 5)) await hub.publish("a", n);
    const subscription = client.subscribe("a", ({ data }) => first.push(data));
    await until(() => subscription.position);
    await hub.publish("a", "6");
    await until(() => first.length === 1);
    client.subscribe("a", ({ data }) => second.push(data), { since: "0" });
    client.subscribe("a", ({ data }) => third.push(data));
    await until(() => second.length === 6);
    await hub.publish("a", "7");
    await until(() => second.length === 7);
    assert.deepEqual(first, ["6", "7"]);
    assert.deepEqual(second, numbers(1, 7));
    assert.deepEqual(told.data, ["6", "7"]);
    assert.deepEqual(third.at(-1), "7");
  });

  test(`${way}: after unsubscribe nothing comes, and the topic can be followed again`, async (t) => {
    const { hub, client, told } = await begin(t);
    const got = [];
    const one = client.subscribe("a", ({ data }) => got.push(data));
    const two = client.subscribe("a", ({ data }) => got.push(data));
    await until(() => one.position);
    one.unsubscribe();
    one.unsubscribe();
    await hub.publish("a", "1");
    await until(() => got.length === 1);
    two.unsubscribe();
    const again = client.subscribe("a", ({ data }) => got.push(`again ${data}`), { since: "0" });
    await until(() => got.length === 2);
    again.unsubscribe();
    await client.publish("a", "2");
    assert.deepEqual(got, ["1", "again 1"]);
    assert.deepEqual(told.errors, []);
  });

  test(`${way}: history and presence`, async (t) => {
    const { hub, client } = await begin(t);
    await hub.publish("a", "1");
    await hub.publish("a", new Uint8Array([1, 2]));
    const { messages, pos } = await client.history("a", 10);
    assert.deepEqual(messages.map(({ data }) => data), ["1", new Uint8Array([1, 2])]);
    assert.equal(pos, await hub.position("a"));
    assert.equal(messages[1].pos, pos);
    const info = { color: "red & blue" };
    const subscription = client.subscribe("a", null, { as: { id: "ann@x", info } });
    client.subscribe("b", null);
    await until(async () => subscription.position && (await hub.members("a")).length === 1);
    const { members } = await client.presence("a");
    assert.deepEqual(members, [{ id: "ann@x", info }]);
    assert.equal((await client.presence("b")).members.length, 0);
  });

  test(`${way}: 100 topics at once`, async (t) => {
    const { hub, client } = await begin(t);
    const topics = numbers(1, 100).map((n) => `many/${n}`);
    const subscriptions = topics.map((topic) => client.subscribe(topic, null));
    const got = [];
    client.onmessage = ({ topic }) => got.push(topic);
    await until(() => subscriptions.every(({ position }) => position));
    for (const topic of topics) await hub.publish(topic, "x");
    await until(() => got.length === 100);
    assert.deepEqual(new Set(got), new Set(topics));
  });

  test(`${way}: a refused topic is an error of that topic alone, and not asked for again`, async (t) => {
    const { hub, client, told } = await begin(t, { may: ["open"] });
    client.subscribe("secret", null);
    const open = client.subscribe("open", null);
    await until(() => told.errors.length === 1 && open.position);
    assert.deepEqual(told.errors, ["secret forbidden"]);
    const asked = () => hub.requests.filter((line) => line.includes("secret")).length;
    const before = asked();
    await hub.publish("open", "x");
    await until(() => told.data.length === 1);
    hub.kill();
    await until(() => client.readyState === 0);
    await pass(hub, () => client.readyState === 1);
    assert.equal(asked(), before);
    assert.equal(told.errors.filter((code) => code.startsWith("secret")).length, 1);
  });

  test(`${way}: a topic that is full for now is asked for again`, async (t) => {
    const { hub, clock, client, told } = await begin(t);
    await hub.occupy("small/a");
    client.subscribe("small/a", null, { since: "0" });
    await until(() => told.errors.length === 1);
    await hub.vacate("small/a");
    await hub.publish("small/a", "1");
    await pass(hub, () => told.data.length === 1);
    assert.deepEqual(told.errors, ["small/a full"]);
  });

  test(`${way}: what may not be published is rejected`, async (t) => {
    const { hub, client } = await begin(t, { may: ["good"] });
    const fine = client.publish("good", "1");
    assert.equal(await codeOf(client.publish("bad", "x")), "forbidden");
    assert.equal(await codeOf(client.publish("good", "x".repeat(70_000))), "too-big");
    await client.publish("good", "2");
    await fine;
    await hub.rest();
    assert.deepEqual(hub.published.map(({ data }) => data), ["1", "2"]);
  });

  test(`${way}: handlers may throw`, async (t) => {
    const { hub, client } = await begin(t);
    t.mock.method(console, "error", () => {});
    const got = [];
    const fail = () => {
      throw new Error("handler");
    };
    client.onopen = fail;
    client.onmessage = fail;
    const subscription = client.subscribe("a", fail);
    client.subscribe("a", ({ data }) => got.push(data));
    await until(() => subscription.position);
    await hub.publish("a", "1");
    await hub.publish("a", "2");
    await until(() => got.length === 2);
    assert.equal(console.error.mock.callCount(), 5);
  });

  test(`${way}: a handler may close the client`, async (t) => {
    const { hub, clock, client, told } = await begin(t);
    for (const n of numbers(1, 3)) await hub.publish("a", n);
    client.subscribe("a", () => client.close(), { since: "0" });
    await until(() => client.readyState === 3);
    assert.deepEqual(told.data, ["1"]);
    assert.equal(told.log.at(-1), "close 1000");
    assert.equal(await codeOf(client.publish("a", "x")), "closed");
    await until(() => hub.connections.length === 0);
    await hub.rest();
    assert.equal(clock.pending, 0);
  });
}

test("names and positions are checked before anything is sent", async (t) => {
  const { hub, clock } = await startHub(t);
  const { client } = follow(t, hub.url, clock);
  for (const name of ["a b", "../x", "a/./b", "a?b", "ü", "a/.."]) {
    assert.throws(() => client.subscribe(name, null), { code: "bad-name" }, name);
    assert.equal(await codeOf(client.publish(name, "x")), "bad-name");
  }
  for (const name of ["room/+", "#", "room/#"]) assert.equal(await codeOf(client.publish(name, "x")), "bad-name");
  for (const since of ["x", "1.2.3x", "a@b", "undefined"]) {
    assert.throws(() => client.subscribe("a", null, { since }), { code: "bad-since" }, since);
  }
  assert.equal(await codeOf(client.publish("a", { no: "text" })), "bad-request");
  assert.equal(await codeOf(client.publish("a", 7)), "bad-request");
  assert.equal(await codeOf(client.publish("a", "x", { key: "ü" })), "bad-request");
});

for (const kind of hubs) {
  test(`${kind} hub: patterns follow by WebSocket, say so elsewhere, and tell the hole when they are back`, async (t) => {
    const { hub, clock } = await startHub(t, { kind });
    hub.faults.websocket = "refuse";
    const told = follow(t, hub.url, clock);
    const got = [];
    told.client.subscribe("room/+", ({ topic, pattern, data }) => got.push([topic, pattern, data]));
    await until(() => told.errors.includes("room/+ unavailable"));
    hub.faults.websocket = "";
    await pass(hub, () => told.client.transport === "websocket");
    await told.client.publish("other", "x");
    await hub.publish("room/tea", "1");
    await until(() => got.length === 1);
    hub.kill();
    await until(() => told.client.readyState === 0);
    await hub.publish("room/tea", "missed");
    clock.advance(1000);
    await until(() => told.gaps.length === 1);
    await hub.publish("room/tea", "2");
    await until(() => got.length === 2);
    assert.deepEqual(got, [["room/tea", "room/+", "1"], ["room/tea", "room/+", "2"]]);
    assert.deepEqual(told.gaps, [{ topic: "room/+", lost: null, pos: undefined }]);
  });
}

test("real hub: a pattern that may not be followed is an error of that pattern", async (t) => {
  const { client, told } = await beginAt(t, { kind: "real", may: ["open/#"] });
  client.subscribe("#", null);
  client.subscribe("open/+", null);
  await until(() => told.errors.length === 1);
  await client.publish("open/a", "1");
  await until(() => told.data.length === 1);
  assert.deepEqual(told.errors, ["# forbidden"]);
});

// Of the fake hub only what the connection itself knows is limited.
test("real hub: more topics than a connection may follow are errors of those", async (t) => {
  const { client, told } = await beginAt(t, { kind: "real" });
  const subscriptions = numbers(1, 102).map((n) => client.subscribe(`many/${n}`, null));
  await until(() => told.errors.length === 2);
  assert.deepEqual(told.errors, ["many/101 too-many", "many/102 too-many"]);
  subscriptions[0].unsubscribe();
  subscriptions[1].unsubscribe();
  told.clock.advance(15_000);
  await until(() => subscriptions.at(-1).position);
  assert.equal(told.errors.length, 2);
});

test("the address may be relative to the page, of a WebSocket, and without the last slash", async (t) => {
  const { hub, clock } = await startHub(t);
  globalThis.location = { toString: () => `http://127.0.0.1:${hub.port}/page/index.html` };
  t.after(() => delete globalThis.location);
  for (const url of ["/t/", "/t", "../t/", `ws://127.0.0.1:${hub.port}/t`, new URL(hub.url)]) {
    const { client } = follow(t, url, clock);
    assert.equal(client.url, hub.url);
    await until(() => client.readyState === 1);
    client.close();
  }
});

test("a queue that is full says so; what waits is sent when there is a hub", async (t) => {
  const { hub, clock } = await startHub(t);
  await hub.disconnect();
  const { client } = follow(t, hub.url, clock, { maxQueue: 3, maxQueueBytes: 100 });
  const waiting = [client.publish("a", "1"), client.publish("a", "2".repeat(50))];
  assert.equal(client.bufferedAmount, 51);
  assert.equal(await codeOf(client.publish("a", "3".repeat(50))), "queue-full");
  waiting.push(client.publish("a", "4"));
  assert.equal(await codeOf(client.publish("a", "")), "queue-full");
  await until(() => client.readyState === 0 && clock.pending === 1);
  await hub.reconnect();
  clock.advance(1000);
  await Promise.all(waiting);
  assert.deepEqual(hub.published.map(({ data }) => data[0]), ["1", "2", "4"]);
});

// The real hub is busy only when a follower does not read.
for (const [transport, transports] of Object.entries(through)) {
  test(`fake hub, ${transport}: what is refused for now is published later`, async (t) => {
    const { hub, clock, client } = await beginAt(t, { transports });
    let full = 0;
    hub.faults.refuse = (what) => (what === "pub" && ++full === 1 ? { code: "full", retryAfter: 7 } : undefined);
    const later = client.publish("later", "x");
    await until(() => full === 1);
    await new Promise((resolve) => setTimeout(resolve, 5));
    const repeated = until(() => full === 2);
    clock.advance(10_001);
    await repeated;
    assert.ok((await later).pos);
    assert.equal(hub.published.length, 1);
  });
}
