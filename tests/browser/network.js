// Network: an HTTP proxy between browser and server that is as bad as networks are: it lets no WebSocket
// through, or holds Server-Sent Events back, or is slow, or is gone.

import { once } from "node:events";
import { createServer, request } from "node:http";
import { Transform } from "node:stream";
import { setTimeout as after } from "node:timers/promises";

const mostBytes = 700; // of a piece, when it is slow

/** Passes bytes on in pieces of any size, each later than it came. */
class Slowness extends Transform {
  #isSlow;
  #seed = 1;

  constructor(isSlow) {
    super();
    this.#isSlow = isSlow;
  }

  #random(below) {
    this.#seed = (this.#seed * 48271) % 0x7fffffff;
    return this.#seed % below;
  }

  async _transform(chunk, _encoding, done) {
    for (let at = 0; at < chunk.length; ) {
      const size = this.#isSlow() ? 1 + this.#random(mostBytes) : chunk.length;
      if (this.#isSlow()) await after(1 + this.#random(8));
      this.push(chunk.subarray(at, at + size));
      at += size;
    }
    done();
  }
}

export class Network {
  /** What happens to WebSockets: "passes", "refused", or "swallowed": they open, and then nothing comes. */
  websocket = "passes";
  /** What happens to event streams: "passes", "refused", or "swallowed". */
  sse = "passes";
  slow = false;
  gone = false;
  port = 0;

  #target;
  #server = createServer({ keepAliveTimeout: 1000 });
  #sockets = new Set();
  #streams = new Set();

  /** `target` is a running demo. */
  static async before(target) {
    const network = new Network();
    network.#target = target;
    network.#server.on("connection", (socket) => network.#hold(socket));
    network.#server.on("request", (...to) => network.#request(...to));
    network.#server.on("upgrade", (...to) => network.#upgrade(...to));
    network.#server.listen(0, "127.0.0.1");
    await once(network.#server, "listening");
    network.port = network.#server.address().port;
    return network;
  }

  get origin() {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Ends WebSockets and event streams, or everything, without farewell. */
  cut() {
    for (const stream of this.gone ? this.#sockets : this.#streams) stream.destroy();
  }

  async end() {
    this.gone = true;
    this.cut();
    this.#server.close();
    await once(this.#server, "close");
  }

  #hold(socket) {
    socket.on("error", () => {});
    if (this.gone) return socket.destroy();
    this.#sockets.add(socket);
    socket.on("close", () => this.#sockets.delete(socket));
  }

  #stream(socket) {
    this.#streams.add(socket);
    socket.on("close", () => this.#streams.delete(socket));
  }

  #forward({ method, url, headers }) {
    return request({ port: this.#target.port, method, path: url, headers, agent: false });
  }

  #request(asked, answer) {
    const isStream = asked.headers.accept === "text/event-stream";
    const socket = asked.socket;
    if (isStream && this.sse === "refused") return socket.destroy();
    if (isStream) this.#stream(socket);
    const onward = this.#forward(asked);
    onward.on("error", () => socket.destroy());
    answer.on("close", () => onward.destroy());
    asked.pipe(onward);
    onward.on("response", (answered) => {
      answer.writeHead(answered.statusCode, answered.headers);
      answer.flushHeaders();
      answered.on("error", () => socket.destroy());
      const slowness = new Slowness(() => this.slow);
      if (isStream && this.sse === "swallowed") answered.resume();
      else answered.pipe(slowness).pipe(answer);
    });
  }

  #upgrade(asked, socket) {
    if (this.websocket === "refused") return socket.destroy();
    this.#stream(socket);
    const onward = this.#forward(asked);
    onward.on("error", () => socket.destroy());
    onward.on("upgrade", (answered, far, first) => {
      const head = answered.rawHeaders.reduce((all, word, i) => all + word + (i % 2 ? "\r\n" : ": "), "");
      socket.write(`HTTP/1.1 101 Switching Protocols\r\n${head}\r\n`);
      if (this.websocket === "swallowed") far.resume();
      else far.pipe(new Slowness(() => this.slow)).pipe(socket);
      if (first.length > 0) far.unshift(first);
      socket.pipe(new Slowness(() => this.slow)).pipe(far);
      for (const [one, other] of [[far, socket], [socket, far]]) {
        one.on("error", () => {});
        one.on("close", () => other.destroy());
      }
    });
    onward.end();
  }
}
