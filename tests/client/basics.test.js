// What a client does when nothing breaks, by each transport.

import { test } from "node:test";
import { assert, codeOf, follow, numbers, startHub, through, until } from "./support.js";

for (const [transport, transports] of Object.entries(through)) {
  const start = async (t) => {
    const { hub, clock } = await startHub(t);
    if (transports) hub.faults.websocket = "refuse";
    const told = follow(t, hub.url, clock, { transports });
    return { hub, clock, told, client: told.client };
  };

  test(`${transport}: opens, and says by what`, async (t) => {
    const { client, told } = await start(t);
    assert.equal(client.readyState, 0);
    await until(() => client.readyState === 1);
    assert.equal(client.transport, transport);
    assert.deepEqual(told.opened, [transport]);
  });

  test(`${transport}: messages come in order, to the function and as events`, async (t) => {
    const { hub, client, told } = await start(t);
    const got = [];
    const subscription = client.subscribe("room/tea", ({ data }) => got.push(data));
    await until(() => subscription.position);
    for (const n of numbers(1, 50)) hub.publish("room/tea", n);
    hub.publish("room/other", "no");
    await until(() => got.length >= 50);
    assert.deepEqual(got, numbers(1, 50));
    assert.deepEqual(told.data, got);
    assert.equal(subscription.position, hub.topic("room/tea").pos);
    assert.deepEqual(told.gaps, []);
  });

  test(`${transport}: text and bytes arrive as they were published`, async (t) => {
    const { client } = await start(t);
    const got = [];
    client.subscribe("a", ({ data }) => got.push(data), { since: "0" });
    const bytes = Uint8Array.from({ length: 256 }, (_, i) => i);
    const sent = ["", "line\nline\r\n\u{1f41f}", bytes, bytes.buffer, new Blob([bytes]), "\ufeffx", "lone \ud800"];
    for (const data of sent) client.publish("a", data);
    await until(() => got.length === sent.length);
    assert.deepEqual(got, ["", sent[1], bytes, bytes, bytes, "\ufeffx", "lone \ufffd"]);
  });

  test(`${transport}: publish tells the position, in the order of the calls`, async (t) => {
    const { hub, client } = await start(t);
    const answers = await Promise.all([new Blob(["1"]), "2", "3"].map((data) => client.publish("a", data)));
    const { epoch } = hub.topic("a");
    assert.deepEqual(answers.map(({ pos }) => pos), [1, 2, 3].map((n) => `${epoch}.${n}`));
    assert.equal(client.bufferedAmount, 0);
  });

  test(`${transport}: since goes on there; since 0 is all that is held`, async (t) => {
    const { hub, client, told } = await start(t);
    const positions = numbers(1, 9).map((n) => hub.publish("a", n));
    const from = [];
    const all = [];
    client.subscribe("a", ({ data }) => from.push(data), { since: positions[5] });
    await until(() => from.length === 3);
    hub.publish("b", "x");
    client.subscribe("b", ({ data }) => all.push(data), { since: "0" });
    await until(() => all.length === 1);
    assert.deepEqual(from, ["7", "8", "9"]);
    assert.deepEqual(told.gaps, []);
  });

  test(`${transport}: a second follower from further back gets what the first does not get again`, async (t) => {
    const { hub, client, told } = await start(t);
    const first = [];
    const second = [];
    const third = [];
    for (const n of numbers(1, 5)) hub.publish("a", n);
    const subscription = client.subscribe("a", ({ data }) => first.push(data));
    await until(() => subscription.position);
    hub.publish("a", "6");
    await until(() => first.length === 1);
    client.subscribe("a", ({ data }) => second.push(data), { since: "0" });
    client.subscribe("a", ({ data }) => third.push(data));
    await until(() => second.length === 6);
    hub.publish("a", "7");
    await until(() => second.length === 7);
    assert.deepEqual(first, ["6", "7"]);
    assert.deepEqual(second, numbers(1, 7));
    assert.deepEqual(told.data, ["6", "7"]);
    assert.deepEqual(third.at(-1), "7");
  });

  test(`${transport}: after unsubscribe nothing comes, and the topic can be followed again`, async (t) => {
    const { hub, client, told } = await start(t);
    const got = [];
    const one = client.subscribe("a", ({ data }) => got.push(data));
    const two = client.subscribe("a", ({ data }) => got.push(data));
    await until(() => one.position);
    one.unsubscribe();
    one.unsubscribe();
    hub.publish("a", "1");
    await until(() => got.length === 1);
    two.unsubscribe();
    const again = client.subscribe("a", ({ data }) => got.push(`again ${data}`), { since: "0" });
    await until(() => got.length === 2);
    again.unsubscribe();
    await client.publish("a", "2");
    assert.deepEqual(got, ["1", "again 1"]);
    assert.deepEqual(told.errors, []);
  });

  test(`${transport}: history and presence`, async (t) => {
    const { hub, client } = await start(t);
    hub.publish("a", "1");
    hub.publish("a", new Uint8Array([1, 2]));
    const { messages, pos } = await client.history("a", 10);
    assert.deepEqual(messages.map(({ data }) => data), ["1", new Uint8Array([1, 2])]);
    assert.equal(pos, hub.topic("a").pos);
    assert.equal(messages[1].pos, pos);
    const info = { color: "red & blue" };
    const subscription = client.subscribe("a", null, { as: { id: "ann@x", info } });
    client.subscribe("b", null);
    await until(() => subscription.position && hub.topic("a").members.size === 1);
    const { members } = await client.presence("a");
    assert.deepEqual(members, [{ id: "ann@x", info }]);
    assert.equal((await client.presence("b")).members.length, 0);
  });

  test(`${transport}: 120 topics at once`, async (t) => {
    const { hub, client } = await start(t);
    const topics = numbers(1, 120).map((n) => `many/${n}`);
    const subscriptions = topics.map((topic) => client.subscribe(topic, null));
    const got = [];
    client.onmessage = ({ topic }) => got.push(topic);
    await until(() => subscriptions.every(({ position }) => position));
    for (const topic of topics) hub.publish(topic, "x");
    await until(() => got.length === 120);
    assert.deepEqual(new Set(got), new Set(topics));
  });

  test(`${transport}: a refused topic is an error of that topic alone, and not asked for again`, async (t) => {
    const { hub, clock, client, told } = await start(t);
    hub.faults.refuse = (what, topic) => (what === "sub" && topic === "secret" ? { code: "forbidden" } : undefined);
    client.subscribe("secret", null);
    const open = client.subscribe("open", null);
    await until(() => told.errors.length === 1 && open.position);
    assert.deepEqual(told.errors, ["secret forbidden"]);
    const asked = () => hub.requests.filter((line) => line.includes("secret")).length;
    const before = asked();
    hub.publish("open", "x");
    await until(() => told.data.length === 1);
    hub.kill();
    await until(() => client.readyState === 0);
    clock.advance(2000);
    await until(() => client.readyState === 1);
    assert.equal(asked(), before);
    assert.equal(told.errors.filter((code) => code.startsWith("secret")).length, 1);
  });

  test(`${transport}: a topic that is full for now is asked for again`, async (t) => {
    const { hub, clock, client, told } = await start(t);
    let full = true;
    hub.faults.refuse = (what) => (what === "sub" && full ? { code: "full" } : undefined);
    const subscription = client.subscribe("a", null);
    await until(() => told.errors.length === 1);
    full = false;
    clock.advance(15_000);
    await until(() => subscription.position);
    assert.deepEqual(told.errors, ["a full"]);
  });

  test(`${transport}: what may not be published is rejected; what is refused for now is repeated`, async (t) => {
    const { hub, clock, client } = await start(t);
    const codes = { bad: "forbidden", big: "too-big", later: "full" };
    let full = 0;
    hub.faults.refuse = (what, topic) => {
      if (what !== "pub" || !codes[topic] || (topic === "later" && ++full > 1)) return undefined;
      return { code: codes[topic], retryAfter: 7 };
    };
    assert.equal(await codeOf(client.publish("bad", "x")), "forbidden");
    assert.equal(await codeOf(client.publish("big", "x")), "too-big");
    const later = client.publish("later", "x");
    await until(() => full === 1);
    await new Promise((resolve) => setTimeout(resolve, 5));
    const repeated = until(() => full === 2);
    clock.advance(10_001);
    await repeated;
    assert.ok((await later).pos);
    assert.equal(hub.published.length, 1);
  });

  test(`${transport}: handlers may throw`, async (t) => {
    const { hub, client } = await start(t);
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
    hub.publish("a", "1");
    hub.publish("a", "2");
    await until(() => got.length === 2);
    assert.equal(console.error.mock.callCount(), 5);
  });

  test(`${transport}: a handler may close the client`, async (t) => {
    const { hub, client, told } = await start(t);
    for (const n of numbers(1, 3)) hub.publish("a", n);
    client.subscribe("a", () => client.close(), { since: "0" });
    await until(() => client.readyState === 3);
    assert.deepEqual(told.data, ["1"]);
    assert.equal(told.log.at(-1), "close 1000");
    assert.equal(await codeOf(client.publish("a", "x")), "closed");
    await until(() => hub.connections.length === 0);
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

test("patterns follow by WebSocket, say so elsewhere, and tell the hole when they are back", async (t) => {
  const { hub, clock } = await startHub(t);
  hub.faults.websocket = "refuse";
  const told = follow(t, hub.url, clock);
  const got = [];
  told.client.subscribe("room/+", ({ topic, pattern, data }) => got.push([topic, pattern, data]));
  await until(() => told.errors.includes("room/+ unavailable"));
  hub.faults.websocket = "";
  clock.advance(15_000);
  await until(() => told.client.transport === "websocket");
  await told.client.publish("other", "x");
  hub.publish("room/tea", "1");
  await until(() => got.length === 1);
  hub.kill();
  await until(() => told.client.readyState === 0);
  hub.publish("room/tea", "missed");
  clock.advance(1000);
  await until(() => told.gaps.length === 1);
  hub.publish("room/tea", "2");
  await until(() => got.length === 2);
  assert.deepEqual(got, [["room/tea", "room/+", "1"], ["room/tea", "room/+", "2"]]);
  assert.deepEqual(told.gaps, [{ topic: "room/+", lost: null, pos: undefined }]);
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
  await hub.stop();
  const { client } = follow(t, hub.url, clock, { maxQueue: 3, maxQueueBytes: 100 });
  const waiting = [client.publish("a", "1"), client.publish("a", "2".repeat(50))];
  assert.equal(client.bufferedAmount, 51);
  assert.equal(await codeOf(client.publish("a", "3".repeat(50))), "queue-full");
  waiting.push(client.publish("a", "4"));
  assert.equal(await codeOf(client.publish("a", "")), "queue-full");
  await until(() => client.readyState === 0 && clock.pending === 1);
  await hub.listen();
  clock.advance(1000);
  await Promise.all(waiting);
  assert.deepEqual(hub.published.map(({ data }) => data[0]), ["1", "2", "4"]);
});
