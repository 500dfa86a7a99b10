// FakeHub: a hub in memory that speaks what docs/topics.md says and nothing else. What a client does
// against the wire form is written down in `violations`; what a hub may do wrong, `faults` switches on.

import { createServer } from "node:http";
import { WebSocketServer } from "ws";
import { Poll, Stream } from "./fake-receivers.js";
import { isName, matches, Topic } from "./fake-topic.js";
import { rules } from "./rules.js";

const patternForm = /^(([A-Za-z0-9_.~-]+|\+)(\/([A-Za-z0-9_.~-]+|\+))*(\/#)?|#)$/;
const posForm = /^[0-9a-z]{1,13}\.(0|[1-9][0-9]{0,18})$/;
const base64Form = /^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
const fields = {
  sub: ["topic", "pattern", "since", "as"],
  unsub: ["topic", "pattern", "since", "as"],
  pub: ["topic", "data", "data64", "key", "idem"],
  presence: ["topic", "limit", "after"],
  history: ["topic", "limit"],
  auth: ["token"],
  ping: [],
};
const statuses = {
  "bad-request": 400, "bad-since": 400, unauthorized: 401, forbidden: 403, "bad-name": 404,
  "too-big": 413, "too-many": 429, full: 503, unavailable: 503,
};

const problem = (code) => Object.assign(new Error(code), { code });

const maxMessage = 64 * 1024;

export class FakeHub {
  violations = [];
  /** What would be said is not, and no connection recovers from that. */
  mute = false;
  /** A frame of more bytes closes with 1009. */
  closeOnBytes = Infinity;
  /** How often a WebSocket was asked for. */
  upgrades = 0;
  /** Counts whatever happens. */
  activity = 0;
  /** Every message that was published for good, in order: {topic, data}. */
  published = [];
  /** Every HTTP request, "METHOD URL", and every frame. */
  requests = [];
  faults = {
    /** "refuse": 503 to the handshake; "silent": opens, says nothing; "die": opens, then dies. */
    websocket: "",
    /** "refuse"; "hold": not even headers; "buffer": headers, nothing else, */
    sse: "",
    /** "refuse"; "hold" */
    poll: "",
    /** Each message comes twice. */
    duplicate: false,
    /** Acknowledgements of publishing wait for releaseAcks(). */
    lateAcks: false,
    /** (what) => {code, retryAfter} | undefined: refuses "pub", "sub", "connect", "ask" of a topic. */
    refuse: () => undefined,
    /** Milliseconds of `clock` that every answer takes. */
    delay: 0,
    /** A cut through each event stream after this many bytes. */
    cut: 0,
  };
  /** Tokens that are good; null: nobody needs one. */
  tokens = null;
  clock = { setTimeout };
  /** How many members one answer has. */
  page = 10_000;
  /** How long nothing happens before nothing will, ms. */
  quiet = 25;
  port = 0;
  topics = new Map();
  #server;
  #sockets = new Set();
  #clients = new Set();
  #lateAcks = [];
  #occupied = new Set();

  static async start(options = {}) {
    const hub = Object.assign(new FakeHub(), options);
    await hub.listen();
    return hub;
  }

  get url() {
    return `http://127.0.0.1:${this.port}/t/`;
  }

  async listen() {
    this.#server = createServer((request, response) => this.#http(request, response));
    const upgrades = new WebSocketServer({
      noServer: true,
      handleProtocols: (protocols) => (protocols.has("coho.json.v1") ? "coho.json.v1" : false),
    });
    this.#server.on("upgrade", (request, socket, head) => {
      socket.on("error", () => {});
      this.activity++;
      this.upgrades++;
      if (request.url !== "/t/") return this.#violated(`upgrade at ${request.url}`, socket.destroy());
      if (this.faults.websocket === "refuse") return socket.end("HTTP/1.1 503 no\r\nConnection: close\r\n\r\n");
      upgrades.handleUpgrade(request, socket, head, (ws) => {
        if (this.faults.websocket !== "silent") new Connection(this, ws);
        else ws.on("error", () => {});
      });
    });
    this.#server.on("connection", (socket) => {
      this.#sockets.add(socket);
      socket.on("close", () => this.#sockets.delete(socket));
    });
    await new Promise((resolve) => this.#server.listen(this.port, "127.0.0.1", resolve));
    this.port = this.#server.address().port;
  }

  /** The network is gone; the hub goes on. */
  async disconnect() {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.kill();
    await closed;
  }

  reconnect() {
    return this.listen();
  }

  stop() {
    return this.disconnect();
  }

  /** Another life of all topics: new epochs, no history, no keys. */
  async restart() {
    await this.disconnect();
    this.topics.clear();
    await this.reconnect();
  }

  /** Returns when something happened, or, it seems, nothing will before time passes. */
  async rest() {
    const { activity } = this;
    const end = Date.now() + this.quiet;
    while (this.activity === activity && Date.now() < end) await new Promise((resolve) => setTimeout(resolve, 1));
  }

  position(name) {
    return this.topic(name).pos;
  }

  members(name) {
    return this.presence(name).members;
  }

  /** Somebody else follows a topic that may have only one who does. */
  occupy(name) {
    this.#occupied.add(name);
  }

  vacate(name) {
    this.#occupied.delete(name);
  }

  /** Every connection dies. */
  kill() {
    this.activity++;
    for (const socket of this.#sockets) socket.destroy();
    this.#clients.clear();
    this.#lateAcks = [];
  }

  /** Every WebSocket is closed with this code. */
  closeAll(code, reason = "") {
    for (const client of this.#clients) client.end?.(code, reason);
  }

  say(frame) {
    for (const client of this.#clients) client.say(frame);
  }

  get connections() {
    return [...this.#clients].map((client) => client.kind).sort();
  }

  releaseAcks() {
    for (const ack of this.#lateAcks.splice(0)) ack();
  }

  #violated(text) {
    this.violations.push(text);
  }

  violated(text) {
    this.violations.push(text);
  }

  topic(name) {
    if (!this.topics.has(name)) this.topics.set(name, new Topic());
    return this.topics.get(name);
  }

  publish(name, data, idem) {
    const topic = this.topic(name);
    this.activity++;
    if (idem !== undefined && topic.idem.has(idem)) return topic.idem.get(idem);
    topic.last++;
    const message = { offset: topic.last, pos: topic.pos };
    if (typeof data === "string") message.data = data;
    else message.data64 = Buffer.from(data).toString("base64");
    topic.messages.push(message);
    this.trim(name);
    if (idem !== undefined) topic.idem.set(idem, topic.pos);
    this.published.push({ topic: name, data });
    for (const client of [...this.#clients]) client.message(name, message);
    return message.pos;
  }

  trim(name, keep = rules.find(({ pattern }) => matches(pattern, name))?.["history-count"] ?? 1000) {
    const { messages } = this.topic(name);
    messages.splice(0, Math.max(0, messages.length - keep));
  }

  add(client) {
    this.#clients.add(client);
  }

  remove(client) {
    this.#clients.delete(client);
  }

  later(fn) {
    if (this.faults.delay) this.clock.setTimeout(fn, this.faults.delay);
    else fn();
  }

  ack(fn) {
    if (this.faults.lateAcks) this.#lateAcks.push(fn);
    else this.later(fn);
  }

  mayBe(token) {
    return this.tokens === null || this.tokens.has(token);
  }

  join(name, { id, info }) {
    this.topic(name).members.set(id, info);
  }

  // ---- HTTP ----------------------------------------------------------------------------------------

  #http(request, response) {
    this.activity++;
    this.requests.push(`${request.method} ${request.url}`);
    const chunks = [];
    request.on("data", (chunk) => chunks.push(chunk));
    request.on("error", () => {});
    response.on("error", () => {});
    request.on("end", () => {
      this.activity++;
      try {
        this.#answer(request, response, Buffer.concat(chunks));
      } catch (error) {
        if (!error.code) throw error;
        const headers = error.retryAfter === undefined ? {} : { "retry-after": String(error.retryAfter) };
        response.writeHead(error.status ?? statuses[error.code], headers).end(error.code);
      }
    });
  }

  #answer(request, response, body) {
    const url = new URL(request.url, "http://hub");
    if (!url.pathname.startsWith("/t/")) throw problem("bad-name");
    const path = decodeURIComponent(url.pathname.slice(3));
    const token = /^Bearer (.+)$/.exec(request.headers.authorization ?? "")?.[1];
    this.#refuse("connect", path);
    if (!this.mayBe(token)) throw problem("unauthorized");
    const json = (value) => this.later(() => {
      if (this.mute) return;
      this.activity++;
      response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(value));
    });
    if (request.method === "POST") {
      if (!isName(path) || path.endsWith("/presence")) throw problem("bad-name");
      this.#refuse("pub", path);
      const idem = request.headers["idempotency-key"];
      if (body.length > maxMessage) throw problem("too-big");
      if (!idem || idem.length > 255) this.violated(`POST without a good key: ${idem}`);
      const binary = request.headers["content-type"] === "application/octet-stream";
      const pos = this.publish(path, binary ? body : body.toString(), idem);
      this.ack(() => json({ pos }));
    } else if (request.method !== "GET") throw problem("bad-request");
    else if (path === "") this.#receive(request, response, url.search.slice(1), json);
    else if (path.endsWith("/history")) {
      const name = path.slice(0, -8);
      this.#refuse("ask", name);
      const limit = Number(url.searchParams.get("limit"));
      if (!(limit >= 1 && limit <= 1000)) throw problem("bad-request");
      const topic = this.topic(name);
      json({ messages: topic.messages.slice(-limit).map(({ offset, ...message }) => message), next: topic.pos });
    } else if (path.endsWith("/presence")) {
      const { limit, after } = Object.fromEntries(url.searchParams);
      json(this.presence(path.slice(0, -9), Number(limit), Number(after)));
    } else this.violated(`GET ${request.url}`, response.end());
  }

  /** At most `page` members at once, whoever asks for more. */
  presence(name, limit = 10_000, after = 0) {
    if (!(limit >= 1 && limit <= 10_000 && after >= 0)) throw problem("bad-request");
    const all = [...this.topic(name).members].map(([id, info]) => ({ id, info }));
    const end = after + Math.min(limit, this.page);
    const { pos } = this.topic(`${name}/presence`);
    return { members: all.slice(after, end), pos, ...(all.length > end && { next: end }) };
  }

  #refuse(what, name) {
    const refused = this.faults.refuse(what, name);
    if (refused) throw Object.assign(problem(refused.code), refused);
  }

  refusal(what, name) {
    if (what === "sub" && this.#occupied.has(name)) return { code: "full" };
    return this.faults.refuse(what, name);
  }

  #receive(request, response, search, json) {
    const streaming = request.headers.accept === "text/event-stream";
    const subs = [];
    let wait;
    let as;
    let info;
    for (const part of search.split("&").filter(Boolean)) {
      const [key, value = ""] = part.split("=");
      if (key === "sub") {
        const [name, since, ...more] = value.split("@").map(decodeURIComponent);
        if (more.length || (since !== undefined && since !== "0" && !posForm.test(since))) throw problem("bad-since");
        subs.push({ name, since });
      } else if (key === "wait") wait = Number(value);
      else if (key === "as") as = decodeURIComponent(value);
      else if (key === "info") info = JSON.parse(new URLSearchParams(part).get("info"));
      else this.violated(`query ${part}`);
    }
    if (subs.length > 100) throw problem("too-many");
    if (!(wait >= 0 && wait <= 60) && !streaming) throw problem("bad-request");
    const fault = streaming ? this.faults.sse : this.faults.poll;
    if (fault === "refuse") throw Object.assign(problem("unavailable"), { status: 502 });
    if (fault === "hold") return;
    if (streaming && !subs.length) throw problem("bad-request");
    const receiver = streaming ? new Stream(this, response, fault === "buffer") : new Poll(this, response, json);
    response.on("close", () => receiver.close());
    receiver.start(subs, as === undefined ? undefined : { id: as, info }, wait);
  }
}

/** A WebSocket that speaks coho.json.v1. */
class Connection {
  kind = "websocket";
  topics = new Set();
  patterns = new Set();
  errors = 0;

  constructor(hub, socket) {
    this.hub = hub;
    this.socket = socket;
    this.good = hub.tokens === null;
    hub.add(this);
    socket.on("error", () => {});
    socket.on("close", () => {
      hub.activity++;
      hub.remove(this);
    });
    socket.on("message", (data, binary) => this.#receive(data, binary));
  }

  end(code, reason) {
    this.socket.close(code, reason);
  }

  say(frame) {
    if ((this.deaf ||= this.hub.mute)) return;
    this.hub.later(() => {
      this.hub.activity++;
      this.socket.send(JSON.stringify(frame));
    });
  }

  message(name, { offset, ...message }) {
    const say = (frame) => {
      this.say(frame);
      if (this.hub.faults.duplicate && !frame.pattern) this.say(frame);
    };
    if (this.topics.has(name)) say({ topic: name, ...message });
    for (const pattern of this.patterns) if (matches(pattern, name)) say({ topic: name, pattern, ...message });
  }

  #receive(data, binary) {
    const { hub } = this;
    hub.activity++;
    if (hub.faults.websocket === "die") return this.socket.terminate();
    if (binary) return this.#violated("a binary frame", 1003);
    if (data.length > hub.closeOnBytes) return this.end(1009);
    hub.requests.push(String(data));
    let frame;
    try {
      frame = JSON.parse(data);
    } catch {
      return this.#violated("no JSON", 1007);
    }
    const { op, id } = frame;
    for (const field of Object.keys(frame)) {
      if (field !== "op" && field !== "id" && !fields[op]?.includes(field)) hub.violated(`${op} with ${field}`);
    }
    if (id !== undefined && !Number.isInteger(id)) hub.violated(`id ${id}`);
    if (!this.good && op !== "auth") return this.#error(frame, "unauthorized");
    try {
      this[`on_${op}`]?.(frame) ?? this.#known(op);
    } catch (error) {
      if (error.silent) return;
      if (!error.code) throw error;
      this.#error(frame, error.code);
    }
  }

  #known(op) {
    if (!fields[op]) this.hub.violated(`op ${op}`);
  }

  #violated(text, code) {
    this.hub.violated(text);
    this.socket.close(code);
  }

  #error({ id, topic, pattern }, code) {
    this.say({ op: "error", id, topic, pattern, code, text: `${code}: refused` });
    if (++this.errors >= 100) this.socket.close(1008);
  }

  #check(what, topic) {
    if (!isName(topic ?? "")) throw problem("bad-name");
    const refused = this.hub.refusal(what, topic);
    if (refused) throw problem(refused.code);
  }

  on_sub({ id, topic, pattern, since, as }) {
    const { hub } = this;
    if (pattern !== undefined) {
      if (!patternForm.test(pattern)) throw problem("bad-name");
      if (since !== undefined) throw problem("bad-since");
      if (this.patterns.has(pattern)) throw problem("exists");
      this.patterns.add(pattern);
      return this.say({ op: "ok", id, pattern });
    }
    this.#check("sub", topic);
    if (since !== undefined && since !== "0" && !posForm.test(since)) throw problem("bad-since");
    if (this.topics.has(topic)) throw problem("exists");
    this.topics.add(topic);
    if (as) hub.join(topic, as);
    const state = hub.topic(topic);
    const { start, gap, messages } = state.after(since);
    this.say({ op: "ok", id, topic, pos: start });
    if (gap) this.say({ op: "gap", topic, ...gap });
    for (const message of messages) this.message(topic, message);
  }

  on_unsub({ id, topic, pattern }) {
    const set = pattern === undefined ? this.topics : this.patterns;
    if (!set.delete(pattern ?? topic)) throw problem("not-subscribed");
    this.say({ op: "ok", id, topic, pattern });
  }

  on_pub({ id, topic, data, data64, idem, key }) {
    this.#check("pub", topic);
    if ((data === undefined) === (data64 === undefined)) throw problem("bad-request");
    if (data64 !== undefined && !base64Form.test(data64)) throw problem("bad-request");
    if ((data ?? data64).length > maxMessage) throw problem("too-big");
    if (typeof idem !== "string" || idem.length < 1 || idem.length > 255) this.hub.violated(`idem ${idem}`);
    if (key !== undefined && typeof key !== "string") this.hub.violated(`key ${key}`);
    const pos = this.hub.publish(topic, data ?? Buffer.from(data64, "base64"), idem);
    this.hub.ack(() => this.say({ op: "ok", id, topic, pos }));
  }

  on_presence({ id, topic, limit, after }) {
    this.#check("ask", topic);
    this.say({ op: "presence", id, topic, ...this.hub.presence(topic, limit, after) });
  }

  on_history({ id, topic, limit }) {
    this.#check("ask", topic);
    if (!(limit >= 1 && limit <= 1000)) throw problem("bad-request");
    const { messages, pos } = this.hub.topic(topic);
    this.say({ op: "history", id, topic, messages: messages.slice(-limit).map(({ offset, ...message }) => message), pos });
  }

  on_auth({ id, token }) {
    if (!this.hub.mayBe(token)) {
      this.say({ op: "error", id, code: "unauthorized", text: "no good token" });
      return this.end(4401, "no good token");
    }
    this.good = true;
    this.say({ op: "ok", id, expires: 2_000_000_000 });
  }

  on_ping({ id }) {
    this.say({ op: "pong", id });
  }
}
