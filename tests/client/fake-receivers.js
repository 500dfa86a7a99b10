// Who follows topics of the fake hub by HTTP: an event stream, or one poll.

import { isName } from "./fake-topic.js";

/** What HTTP receivers share: topics, and frames to say. */
class Receiver {
  topics = new Set();

  constructor(hub, kind) {
    this.hub = hub;
    this.kind = kind;
  }

  follow(subs, as) {
    this.hub.add(this);
    for (const { name, since } of subs) {
      const refused = !isName(name) ? { code: "bad-name" } : this.hub.refusal("sub", name);
      if (refused) {
        this.say({ op: "error", topic: name, code: refused.code, text: "refused" });
        continue;
      }
      if (this.topics.has(name)) this.hub.violated(`twice in one request: ${name}`);
      this.topics.add(name);
      if (as) this.hub.join(name, as);
      const topic = this.hub.topic(name);
      const { start, gap, messages } = topic.after(since);
      this.say({ op: "ok", topic: name, pos: start });
      if (gap) this.say({ op: "gap", topic: name, ...gap });
      for (const message of messages) this.message(name, message);
    }
  }

  message(name, { offset, ...message }) {
    if (!this.topics.has(name)) return;
    this.say({ topic: name, ...message });
    if (this.hub.faults.duplicate) this.say({ topic: name, ...message });
  }

  close() {
    this.hub.activity++;
    this.hub.remove(this);
  }
}

export class Stream extends Receiver {
  #sent = 0;

  constructor(hub, response, buffering) {
    super(hub, "sse");
    this.response = response;
    this.buffering = buffering;
  }

  start(subs, as) {
    if (this.hub.mute) return;
    this.response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" });
    if (this.buffering) return this.response.flushHeaders();
    this.response.write("retry: 2000\r\n: hello\n\n");
    this.follow(subs, as);
  }

  say(frame) {
    if ((this.deaf ||= this.hub.mute)) return;
    this.hub.later(() => {
      this.hub.activity++;
      const event = Buffer.from(`data: ${JSON.stringify(frame)}\n\n`);
      const { cut } = this.hub.faults;
      this.#sent += event.length;
      if (!cut || this.#sent < cut) return this.response.write(event);
      this.response.write(event.subarray(0, event.length >> 1), () => this.response.destroy());
    });
  }

  comment() {
    this.response.write(":\n\n");
  }
}

export class Poll extends Receiver {
  #frames = [];
  #timer;

  constructor(hub, response, json) {
    super(hub, "poll");
    this.response = response;
    this.json = json;
  }

  start(subs, as, wait) {
    this.follow(subs, as);
    const now = wait === 0 || subs.some(({ since }) => since === undefined) || this.#frames.some(({ op }) => op !== "ok");
    if (now) this.#end();
    else if (this.hub.clock.now) this.#timer = this.hub.clock.setTimeout(() => this.#end(), wait * 1000);
  }

  say(frame) {
    this.#frames.push(frame);
    if (frame.op === undefined || frame.op === "gap") this.#soon ??= setImmediate(() => this.#end());
  }

  #soon;

  #end() {
    if (this.ended) return;
    this.ended = true;
    this.close();
    if (this.#timer) this.hub.clock.clearTimeout(this.#timer);
    this.json({ frames: this.#frames });
  }
}
