// Whatever dies, every message is told once and in order, or counted in a gap; publishing happens once.

import { test } from "node:test";
import { assert, Clock, FastClock, follow, numbers, pass, startHub, through, until } from "./support.js";

const total = 1000;

/** What the reader was told of a topic, gaps included, has to be what was published there; returns how
 * much that was. */
function check(log, topic, published) {
  let next = 0;
  let lost = 0;
  for (const line of log) {
    const [what, name, value, data] = line.split(" ");
    if (name !== topic) continue;
    if (what === "gap") {
      assert.ok(Number(value) > 0, line);
      lost += Number(value);
      next += Number(value);
    } else if (what === "message") {
      assert.equal(data, published[next], line);
      next++;
    }
  }
  return { told: next, lost };
}

for (const seed of [1, 2, 3]) {
  test(`fake hub: ${total} messages, links that die at random, seed ${seed}`, async (t) => {
    const chance = new Clock(seed).random;
    const pick = (...choices) => choices[Math.floor(chance() * choices.length)];
    const { hub, clock } = await startHub(t, { clock: new Clock(seed) });
    hub.quiet = 5;
    hub.faults.duplicate = seed === 3;
    const reader = follow(t, hub.url, clock);
    const writer = follow(t, hub.url, clock, { maxQueue: 2 * total });
    reader.client.subscribe("a", null, { since: "0" });
    const answers = [];
    while (answers.length < total) {
      const batch = Math.min(1 + Math.floor(chance() * 60), total - answers.length);
      for (let i = 0; i < batch; i++) answers.push(writer.client.publish("a", String(answers.length + 1)));
      hub.faults.websocket = pick("", "", "", "refuse", "silent", "die");
      hub.faults.sse = pick("", "", "refuse", "buffer", "hold");
      hub.faults.cut = pick(0, 0, 3000);
      hub.faults.lateAcks = pick(false, false, true);
      hub.faults.delay = pick(0, 0, 1000);
      const goal = clock.now() + chance() * 8_000;
      await pass(hub, () => clock.now() >= goal);
      pick(() => hub.kill(), () => hub.closeAll(pick(1001, 1011, 1012, 1013, 4408)), () => {})();
      if (chance() < 0.1) {
        hub.kill();
        hub.trim("a", 2);
      }
    }
    Object.assign(hub.faults, { websocket: "", sse: "", cut: 0, lateAcks: false, delay: 0 });
    hub.releaseAcks();
    const published = () => hub.published.map(({ data }) => data);
    await pass(hub, () => writer.client.bufferedAmount === 0 && check(reader.log, "a", published()).told === total);
    assert.deepEqual(published().sort((a, b) => a - b), numbers(1, total));
    assert.equal(new Set((await Promise.all(answers)).map(({ pos }) => pos)).size, total);
    const { lost } = check(reader.log, "a", published());
    t.diagnostic(`${lost} in gaps, ${reader.opened.length} links: ${[...new Set(reader.opened)]}`);
  });
}

// The real hub waits in real time, and so do the clients, but faster. Several clients publish to two
// topics, of which one keeps little, and several follow; each connection dies after some bytes.
for (const [seed, [how, transports]] of Object.entries({ ...through, any: undefined }).entries()) {
  test(`real hub, ${how}: ${total} messages, connections that die at random bytes`, async (t) => {
    const { random: chance } = new Clock(seed + 1);
    const pick = (...choices) => choices[Math.floor(chance() * choices.length)];
    const clock = new FastClock();
    const { hub } = await startHub(t, { kind: "real", clock });
    const only = how === "any" ? undefined : [how];
    const some = (count, options) => numbers(1, count).map(() => follow(t, hub.url, clock, { transports: only, ...options }));
    const readers = some(3);
    const writers = some(3, { maxQueue: 2 * total });
    const topics = ["a", "short/a"];
    const subscriptions = readers.flatMap(({ client }) => topics.map((topic) => client.subscribe(topic, null, { since: "0" })));
    await until(() => subscriptions.every(({ position }) => position !== "0"));
    hub.faults.cutUp = () => pick(0, 0, 100 + Math.floor(chance() * 3_000));
    hub.faults.cutDown = () => pick(0, Math.floor(chance() * 20_000) + 1);
    const answers = [];
    while (answers.length < total) {
      for (let i = 0; i < 20; i++) {
        const n = answers.length;
        answers.push(writers[n % 3].client.publish(topics[n % 2], String(n + 1)));
      }
      if (how === "any") {
        hub.faults.websocket = pick("", "", "refuse", "silent", "die");
        hub.faults.sse = pick("", "refuse", "buffer", "hold");
      }
      hub.faults.delay = pick(0, 0, 300);
      await new Promise((resolve) => setTimeout(resolve, chance() * 60));
      pick(() => hub.kill(), () => {}, () => {})();
    }
    Object.assign(hub.faults, { websocket: "", sse: "", delay: 0, cutUp: () => 0, cutDown: () => 0 });
    await until(() => writers.every(({ client }) => client.bufferedAmount === 0), "everything is published", 60_000);
    // Where the hub says that each message is; a message that was published twice would leave a hole.
    const published = { a: [], "short/a": [] };
    for (const [n, { pos }] of (await Promise.all(answers)).entries()) {
      published[topics[n % 2]][pos.split(".")[1] - 1] = String(n + 1);
    }
    const lost = [];
    for (const topic of topics) {
      assert.equal(Object.keys(published[topic]).length, total / 2);
      assert.equal((await hub.position(topic)).split(".")[1], String(total / 2));
      for (const { log } of readers) {
        await until(() => check(log, topic, published[topic]).told === total / 2, "everything is told", 60_000);
        lost.push(check(log, topic, published[topic]).lost);
      }
    }
    for (const { gaps } of readers) assert.ok(gaps.every(({ topic }) => topic === "short/a"));
    const opened = [...readers, ...writers].flatMap((told) => told.opened);
    t.diagnostic(`${lost.join("+")} in gaps, ${opened.length} links: ${[...new Set(opened)]}`);
  });
}
