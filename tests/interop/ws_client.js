// A client made with ws: ws_client.js ECHO HELPER runs through both and prints `ok NAME` or `not ok NAME: why`.

import assert from "node:assert/strict";
import { once } from "node:events";
import WebSocket from "ws";

const [echo, helper] = process.argv.slice(2);

async function open(url, protocols = []) {
  const ws = new WebSocket(url, protocols, { maxPayload: 4 << 20 });
  await once(ws, "open");
  return ws;
}

async function answer(ws) {
  const [data, isBinary] = await once(ws, "message");
  return isBinary ? data : data.toString();
}

async function ask(ws, data) {
  const answered = answer(ws);
  ws.send(data);
  return answered;
}

async function closed(ws) {
  const [code, reason] = await once(ws, "close");
  return `${code} ${reason}`;
}

const tests = {
  async text() {
    const ws = await open(echo);
    for (const words of ["hello", "w\u00f6rld \u2603 \u{1f41f}", "", "a\0b"]) assert.equal(await ask(ws, words), words);
    ws.terminate();
  },
  async binary() {
    const ws = await open(echo);
    for (const bytes of [Buffer.from([0, 255, 10, 13]), Buffer.alloc(0)]) assert.deepEqual(await ask(ws, bytes), bytes);
    ws.terminate();
  },
  async megabyte() {
    const ws = await open(echo);
    const words = "\u00e9".repeat(1 << 19);
    assert.equal(await ask(ws, words), words);
    const bytes = Buffer.alloc(1 << 20, "salmon");
    assert.deepEqual(await ask(ws, bytes), bytes);
    ws.terminate();
  },
  async "too large"() {
    const ws = await open(echo);
    const end = closed(ws);
    ws.send(Buffer.alloc((1 << 20) + 1));
    assert.match(await end, /^1009 /);
  },
  async "fragments to coho"() {
    const ws = await open(echo);
    const answered = answer(ws);
    for (let i = 0; i < 100; i++) ws.send(`part ${i} \u2603 `, { fin: false });
    ws.ping("between");
    ws.send("end", { fin: true });
    assert.equal(await answered, Array.from({ length: 100 }, (_, i) => `part ${i} \u2603 `).join("") + "end");
    ws.terminate();
  },
  async "fragments from coho"() {
    const ws = await open(helper);
    assert.equal(await ask(ws, "fragments"), "one message in parts");
    ws.terminate();
  },
  async "ping to coho"() {
    const ws = await open(echo);
    const pong = once(ws, "pong");
    ws.ping("payload");
    assert.equal(String((await pong)[0]), "payload");
    ws.terminate();
  },
  async "ping from coho"() {
    const ws = await open(helper);
    const ping = once(ws, "ping");
    assert.equal(await ask(ws, "ping"), "pong are you there");
    assert.equal(String((await ping)[0]), "are you there");
    ws.terminate();
  },
  async "close by the client"() {
    const ws = await open(helper);
    const end = closed(ws);
    ws.close(4002, "enough \u2603");
    assert.equal(await end, "4002 enough \u2603");
  },
  async "close without code"() {
    const ws = await open(echo);
    const end = closed(ws);
    ws.close();
    assert.equal(await end, "1005 ");
  },
  async "close by coho"() {
    const ws = await open(helper);
    const end = closed(ws);
    ws.send("close");
    assert.equal(await end, "4001 bye \u2603");
  },
  async subprotocol() {
    const ws = await open(helper, ["mqtt", "chat", "superchat"]);
    assert.equal(ws.protocol, "superchat");
    ws.terminate();
    const [refusal] = await once(new WebSocket(helper, ["mqtt"]), "error");
    assert.match(refusal.message, /400/);
  },
};

let failed = 0;
for (const [name, test] of Object.entries(tests)) {
  try {
    await test();
    console.log(`ok ${name}`);
  } catch (error) {
    failed++;
    console.log(`not ok ${name}: ${error.message.replaceAll("\n", " ").slice(0, 500)}`);
  }
}
process.exit(failed ? 1 : 0);
