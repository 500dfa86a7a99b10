// Proxy: the network between a client and a hub, as TCP, with all that may go wrong there. It looks at
// the heads of requests to know what a connection is used for, and changes no byte of the others.

import { connect, createServer } from "node:net";

export class Proxy {
  /** Counts whatever comes by. */
  activity = 0;
  /** How often a WebSocket was asked for. */
  upgrades = 0;
  /** Every request: "METHOD URL". */
  requests = [];
  /** What comes from the hub is lost, without an end of the connection. */
  mute = false;
  /** There is no way to the hub. */
  down = false;
  faults = {
    /** "refuse": 502 to the handshake; "silent": opens, then nothing comes; "die": opens, then dies. */
    websocket: "",
    /** "refuse"; "hold": not even headers come; "buffer": headers, nothing else. */
    sse: "",
    /** "refuse"; "hold" */
    poll: "",
    /** Everything that comes from the hub waits for releaseAcks(), and so do acknowledgements. */
    lateAcks: false,
    /** Milliseconds of `clock` that everything from the hub takes. */
    delay: 0,
    /** () => bytes after which a request, or what comes for it, is cut off; 0: never. */
    cutUp: () => 0,
    cutDown: () => 0,
  };
  clock = { setTimeout };
  /** Where the hub is. */
  target = 0;
  port = 0;
  #server;
  #wires = new Set();
  #held = [];

  async listen() {
    this.#server = createServer((socket) => {
      this.activity++;
      if (this.down) return socket.on("error", () => {}).destroy();
      const wire = new Wire(this, socket);
      this.#wires.add(wire);
      socket.on("close", () => {
        this.activity++;
        this.#wires.delete(wire);
      });
    });
    await new Promise((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    this.port = this.#server.address().port;
  }

  async close() {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.kill();
    await closed;
  }

  /** Every connection dies. */
  kill() {
    this.activity++;
    this.#held = [];
    for (const wire of this.#wires) wire.kill();
  }

  /** What the connections are used for now, publishing and asking aside. */
  get connections() {
    return [...this.#wires].map(({ kind }) => kind).filter((kind) => kind in this.faults).sort();
  }

  /** Lets something through that comes from the hub, when its time has come. */
  pass(open) {
    if (this.faults.lateAcks) this.#held.push(open);
    else if (this.faults.delay) this.clock.setTimeout(open, this.faults.delay);
    else open();
  }

  releaseAcks() {
    for (const open of this.#held.splice(0)) open();
  }
}

const endOfHead = "\r\n\r\n";

/** One connection, and the request that it is used for. */
class Wire {
  /** "websocket", "sse", "poll", "other", or "" between requests. */
  kind = "";
  #fault = "";
  /** The head of a request, as far as it is there. */
  #asked = "";
  /** Bytes that are missing of a request's body. */
  #body = 0;
  /** The head of the answer; all of it once it ends with an empty line. */
  #answered = "";
  /** Bytes that are missing of the answer. */
  #answer = Infinity;
  #cutUp = 0;
  #cutDown = 0;
  #deaf = false;
  /** What comes down, in order: {fn, open}. */
  #line = [];

  constructor(proxy, client) {
    this.proxy = proxy;
    this.client = client;
    this.server = connect(proxy.target, "127.0.0.1");
    for (const socket of [client, this.server]) socket.setNoDelay(true).on("error", () => this.kill());
    client.on("data", (chunk) => this.#up(chunk)).on("end", () => this.server.end());
    this.server.on("data", (chunk) => this.#down(chunk));
    this.server.on("end", () => this.#later(() => this.#deaf || client.end()));
  }

  kill() {
    this.client.destroy();
    this.server.destroy();
  }

  // ---- to the hub ----------------------------------------------------------------------------------

  #up(chunk) {
    this.proxy.activity++;
    while (chunk.length > 0) {
      if (this.kind === "websocket") return this.#fault === "die" ? this.kill() : this.#forward(chunk);
      if (this.#body > 0) {
        const part = chunk.subarray(0, this.#body);
        chunk = chunk.subarray(part.length);
        this.#body -= part.length;
        this.#forward(part);
      } else {
        this.#asked += chunk.toString("latin1");
        const end = this.#asked.indexOf(endOfHead) + endOfHead.length;
        if (end < endOfHead.length) return;
        chunk = Buffer.from(this.#asked.slice(end), "latin1");
        const head = this.#asked.slice(0, end);
        this.#asked = "";
        if (!this.#begin(head)) return;
      }
    }
  }

  /** A request; false: it goes no further. */
  #begin(head) {
    const { proxy } = this;
    const line = head.split(" ", 2).join(" ");
    proxy.requests.push(line);
    if (/^upgrade: *websocket/im.test(head)) this.kind = "websocket";
    else if (!/^GET \/t\/\?/.test(line)) this.kind = "other";
    else this.kind = /^accept: *text\/event-stream/im.test(head) ? "sse" : "poll";
    if (this.kind === "websocket") proxy.upgrades++;
    this.#fault = proxy.faults[this.kind] ?? "";
    this.#body = Number(/^content-length: *(\d+)/im.exec(head)?.[1] ?? 0);
    this.#answered = "";
    this.#answer = Infinity;
    this.#cutUp = proxy.faults.cutUp() || Infinity;
    this.#cutDown = proxy.faults.cutDown() || Infinity;
    if (this.#fault === "refuse") {
      this.client.end("HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
      this.server.destroy();
    } else if (this.#fault !== "hold") {
      this.#forward(Buffer.from(head, "latin1"));
      return true;
    }
    return false;
  }

  #forward(chunk) {
    const part = chunk.subarray(0, this.#cutUp);
    this.#cutUp -= part.length;
    this.server.write(part, () => this.#cutUp > 0 || this.kill());
  }

  // ---- from the hub --------------------------------------------------------------------------------

  #down(chunk) {
    const { proxy } = this;
    proxy.activity++;
    this.#deaf ||= proxy.mute;
    if (this.#deaf) return;
    const rest = this.#readHead(chunk);
    this.#answer -= rest.length;
    if (this.#answer <= 0) this.kind = "";
    const silent = this.#fault === "silent" || this.#fault === "buffer";
    const part = (silent ? chunk.subarray(0, chunk.length - rest.length) : chunk).subarray(0, this.#cutDown);
    this.#cutDown -= part.length;
    const over = this.#cutDown <= 0;
    if (part.length > 0) this.#later(() => this.client.write(part, () => over && this.kill()));
  }

  /** Nothing overtakes what came before it, whatever the proxy does meanwhile. */
  #later(fn) {
    const entry = { fn, open: false };
    this.#line.push(entry);
    this.proxy.pass(() => {
      entry.open = true;
      while (this.#line[0]?.open) this.#line.shift().fn();
    });
  }

  /** Reads what belongs to the head of the answer; returns what follows it. */
  #readHead(chunk) {
    if (this.#answered.endsWith(endOfHead)) return chunk;
    const before = this.#answered.length;
    this.#answered += chunk.toString("latin1");
    const end = this.#answered.indexOf(endOfHead) + endOfHead.length;
    if (end < endOfHead.length) return chunk.subarray(chunk.length);
    this.#answered = this.#answered.slice(0, end);
    this.#answer = Number(/^content-length: *(\d+)/im.exec(this.#answered)?.[1] ?? Infinity);
    return chunk.subarray(end - before);
  }
}
