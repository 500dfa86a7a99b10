// Whatever dies, every message is told once and in order, or counted in a gap; publishing happens once.

import { test } from "node:test";
import { assert, Clock, follow, numbers, pass, startHub } from "./support.js";

const total = 1000;

for (const seed of [1, 2, 3]) {
  test(`${total} messages, links that die at random, seed ${seed}`, async (t) => {
    const chance = new Clock(seed).random;
    const pick = (...choices) => choices[Math.floor(chance() * choices.length)];
    const { hub, clock } = await startHub(t, { clock: new Clock(seed) });
    hub.faults.duplicate = seed === 3;
    const reader = follow(t, hub.url, clock);
    const writer = follow(t, hub.url, clock, { maxQueue: 2 * total });
    reader.client.subscribe("a", null, { since: "0" });
    const answers = [];
    let sent = 0;
    let lost = 0;
    while (sent < total) {
      const batch = 1 + Math.floor(chance() * 60);
      for (let i = 0; i < batch && sent < total; i++) answers.push(writer.client.publish("a", String(++sent)));
      hub.faults.websocket = pick("", "", "", "refuse", "silent", "die");
      hub.faults.sse = pick("", "", "refuse", "buffer", "hold");
      hub.faults.cut = pick(0, 0, 3000);
      hub.faults.lateAcks = pick(false, false, true);
      hub.faults.delay = pick(0, 0, 1000);
      const goal = clock.now() + chance() * 8_000;
      await pass(clock, () => clock.now() >= goal, () => hub.activity, 5);
      pick(() => hub.kill(), () => hub.closeAll(pick(1001, 1011, 1012, 1013, 4408)), () => {})();
      if (chance() < 0.1) {
        hub.kill();
        hub.trim("a", 2);
      }
    }
    Object.assign(hub.faults, { websocket: "", sse: "", cut: 0, lateAcks: false, delay: 0 });
    hub.releaseAcks();
    const told = () => reader.data.length + reader.gaps.reduce((sum, gap) => sum + gap.lost, 0);
    await pass(clock, () => writer.client.bufferedAmount === 0 && told() >= total, () => hub.activity);
    await Promise.all(answers);
    assert.deepEqual(hub.published.map(({ data }) => data).sort((a, b) => a - b), numbers(1, total));
    assert.equal(new Set((await Promise.all(answers)).map(({ pos }) => pos)).size, total);
    // What the reader was told, with the gaps, is what was published.
    let next = 0;
    for (const line of reader.log) {
      const [what, , pos, data] = line.split(" ");
      if (what === "gap") {
        next += Number(pos);
        lost += Number(pos);
      } else if (what === "message") {
        assert.equal(data, hub.published[next].data, line);
        next++;
      }
    }
    assert.equal(next, total);
    t.diagnostic(`${lost} in gaps, ${reader.opened.length} links: ${[...new Set(reader.opened)]}`);
  });
}
