// What coho.js takes for granted of a hub, asked of the real one.

import { test } from "node:test";
import { assert, startHub } from "./support.js";

const start = async (t, options) => (await startHub(t, { kind: "real", ...options })).hub;

const get = async (hub, query, headers = {}) => {
  const answer = await fetch(hub.url + query, { headers });
  return { status: answer.status, headers: answer.headers, body: await answer.json() };
};

/** The first events of a stream. */
const events = async (t, hub, query, count) => {
  const controller = new AbortController();
  t.after(() => controller.abort());
  const { status, headers, body } = await fetch(hub.url + query, {
    headers: { accept: "text/event-stream" },
    signal: controller.signal,
  });
  const frames = [];
  let rest = "";
  for await (const text of body.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop();
    for (const line of lines) if (line.startsWith("data:")) frames.push(JSON.parse(line.slice(5)));
    if (frames.length >= count) break;
  }
  return { status, headers, frames };
};

test("a poll of nothing answers at once", async (t) => {
  const hub = await start(t);
  for (const query of ["?wait=0", "?wait=20"]) {
    const { status, headers, body } = await get(hub, query);
    assert.equal(status, 200);
    assert.deepEqual(body, { frames: [] });
    assert.match(headers.get("cache-control"), /no-store/);
  }
});

test("who accepts an event stream gets one, whatever wait says", async (t) => {
  const hub = await start(t);
  await hub.publish("b", "1");
  const { status, headers, frames } = await events(t, hub, "?sub=a&sub=b@0&wait=0", 3);
  assert.equal(status, 200);
  assert.equal(headers.get("content-type"), "text/event-stream");
  assert.deepEqual(frames.map(({ op, topic }) => [op, topic]), [["ok", "a"], ["ok", "b"], [undefined, "b"]]);
});

test("a poll that does not wait has the ok of every topic, and what is held", async (t) => {
  const hub = await start(t);
  await hub.publish("b", "1");
  const { body: { frames } } = await get(hub, `?sub=a&sub=b@0&sub=${encodeURIComponent("c/d")}&wait=0`);
  assert.deepEqual(frames.map(({ op, topic }) => [op, topic]), [["ok", "a"], ["ok", "b"], [undefined, "b"], ["ok", "c/d"]]);
});

test("what is no topic, or no position, is an error among the frames", async (t) => {
  const hub = await start(t);
  const query = "?sub=a&sub=a/history&sub=..&sub=b@x&sub=&sub=%ff&wait=0";
  const codes = [undefined, "bad-name", "bad-name", "bad-since", "bad-name", "bad-name"];
  const { status, body } = await get(hub, query);
  assert.equal(status, 200);
  assert.deepEqual(body.frames.map(({ code }) => code), codes);
  assert.deepEqual(body.frames.slice(0, 2).map(({ op, topic }) => [op, topic]), [["ok", "a"], ["error", "a/history"]]);
  const { frames } = await events(t, hub, query, 6);
  assert.deepEqual(frames.map(({ code }) => code), codes);
});

test("as counts for every topic of a request; info may be null", async (t) => {
  const hub = await start(t);
  const as = new URLSearchParams({ as: "ann", info: JSON.stringify({ color: "red" }) });
  await get(hub, `?sub=a&sub=b&${as}&wait=0`);
  for (const topic of ["a", "b"]) assert.deepEqual(await hub.members(topic), [{ id: "ann", info: { color: "red" } }]);
  await get(hub, "?sub=c&as=bob&info=null&wait=0");
  assert.deepEqual(await hub.members("c"), [{ id: "bob", info: null }]);
});

test("a page of another origin may do what coho.js does, if the hub says so", async (t) => {
  const origin = "https://page.example";
  const hub = await start(t, { origin });
  for (const [path, method, needed] of [
    ["?sub=a&wait=0", "GET", "authorization"],
    ["a", "POST", "authorization,content-type,idempotency-key,coho-key"],
    ["a/history", "GET", "authorization"],
  ]) {
    const { status, headers } = await fetch(hub.url + path, {
      method: "OPTIONS",
      headers: { origin, "access-control-request-method": method, "access-control-request-headers": needed },
    });
    assert.equal(status, 204);
    assert.equal(headers.get("access-control-allow-origin"), origin);
    assert.equal(headers.get("access-control-allow-credentials"), "true");
    assert.match(headers.get("access-control-allow-methods"), new RegExp(`\\b${method}\\b`));
    const allowed = headers.get("access-control-allow-headers").toLowerCase().split(/, */);
    for (const name of needed.split(",")) assert.ok(allowed.includes(name), name);
  }
  const answer = await fetch(`${hub.url}?wait=0`, { headers: { origin } });
  assert.equal(answer.headers.get("access-control-allow-origin"), origin);
  assert.match(answer.headers.get("access-control-expose-headers"), /\bRetry-After\b/i);
  assert.match(answer.headers.get("vary"), /\bOrigin\b/i);
  const foreign = await fetch(`${hub.url}?wait=0`, { headers: { origin: "https://other.example" } });
  assert.equal(foreign.status, 403);
});

test("the same idempotency key publishes once, by POST and by WebSocket", async (t) => {
  const hub = await start(t);
  const post = async () => {
    const answer = await fetch(`${hub.url}a`, { method: "POST", body: "1", headers: { "idempotency-key": "k1" } });
    assert.equal(answer.status, 200);
    return (await answer.json()).pos;
  };
  const pos = await post();
  assert.equal(await post(), pos);
  assert.equal((await hub.ask({ op: "pub", topic: "a", data: "1", idem: "k1" })).pos, pos);
  assert.equal(await hub.position("a"), pos);
});
