// The code in web/client/README.md does what the README says, at the real hub.

import { readFileSync } from "node:fs";
import { test } from "node:test";
import { assert, beginAt, Coho, startHub, until, WebSocket } from "./support.js";

const readme = readFileSync(new URL("../../web/client/README.md", import.meta.url), "utf8");
const AsyncFunction = (async () => {}).constructor;

const block = (language) => new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, "ms").exec(readme)[1];

/** Runs a module: its imports, and what its page or program has, are given by name. */
const runModule = (code, given) => {
  const body = code.replace(/^ *import .*\n/gm, "");
  return new AsyncFunction(...Object.keys(given), body)(...Object.values(given));
};

test("the chat of the README is one", async (t) => {
  const { hub } = await startHub(t, { kind: "real" });
  const html = block("html");
  const ids = [...html.matchAll(/ id="(\w+)"/g)].map(([, id]) => id);
  assert.deepEqual(ids, ["log", "form", "text"]);
  assert.match(html, /^ *import \{ Coho \} from "\.\/coho\.js";$/m);
  const code = /<script type="module">\n(.*)<\/script>/s.exec(html)[1];

  const page = () => {
    const lines = [];
    const clients = [];
    const element = () => ({ append: (line) => lines.push(line) });
    class Here extends Coho {
      constructor(url) {
        super(url, { WebSocket });
        clients.push(this);
        t.after(() => this.close());
      }
    }
    const given = {
      Coho: Here, lines, clients, document: { createElement: element, title: "" },
      log: { appendChild: (item) => item }, form: {}, text: { value: "" },
    };
    const write = (line) => {
      given.text.value = line;
      return given.form.onsubmit({ preventDefault: () => {} });
    };
    return { ...given, given, write };
  };

  globalThis.location = { toString: () => `http://127.0.0.1:${hub.port}/chat.html` };
  t.after(() => delete globalThis.location);
  await hub.publish("room/tea", "before");
  const [ann, bob] = [page(), page()];
  await runModule(code, ann.given);
  await runModule(code, bob.given);
  await until(() => bob.lines.length === 1 && ann.lines.length === 1);
  await ann.write("hello");
  assert.equal(ann.text.value, "");
  await until(() => bob.lines.length === 2 && ann.lines.length === 2);
  assert.deepEqual(bob.lines, ["before", "hello"]);
  assert.deepEqual(ann.lines, bob.lines);
  assert.equal(ann.document.title, "tea, by websocket");
  await bob.write("x".repeat(70_000));
  assert.match(bob.lines.at(-1), /^not sent \(too-big\): xxx/);
  await ann.clients[0].ongap({ lost: 7 });
  await ann.clients[0].ongap({ lost: null });
  assert.deepEqual(ann.lines.slice(-2), ["(7 messages are gone)", "(some messages are gone)"]);
});

test("the program of the README follows orders", async (t) => {
  const { hub } = await beginAt(t, { kind: "real", may: [] });
  const lastPosition = await hub.publish("orders", "old");
  const pos = await hub.publish("orders", "new");
  const stored = [];
  const code = block("js");
  assert.match(code, /https:\/\/example\.org\/t\//);
  class Here extends Coho {
    constructor(url, options) {
      super(hub.url, options);
      t.after(() => this.close());
    }
  }
  const store = (...order) => stored.push(order);
  await runModule(code, { Coho: Here, WebSocket, readToken: async () => hub.token(), store, lastPosition });
  await until(() => stored.length === 1);
  assert.deepEqual(stored, [["new", pos]]);
});
