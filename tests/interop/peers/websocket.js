// An end made with npm's websocket: see ../end.py.

import { createServer } from "node:http";
import { createServer as createSecureServer } from "node:https";
import websocket from "websocket";
import { folder, names, obey, pack, pem, role, say, sayVersion, unpack } from "./lines.js";

const limits = { maxReceivedFrameSize: 4 << 20, maxReceivedMessageSize: 4 << 20 };
let connection;

function follow(one) {
  connection = one;
  say("opened", one.protocol ?? "-");
  one.on("message", (m) => (m.type === "utf8" ? say("text", pack(m.utf8Data)) : say("binary", pack(m.binaryData))));
  one.on("pong", (data) => say("pong", pack(data)));
  one.on("error", () => {}); // close follows
  // 1006 is also what it makes of a Close without a code.
  one.on("close", (code, words) => (code === 1006 ? say("closed", "?", "-") : say("closed", code, pack(words))));
}

function sendFrame(opcode, data, fin) {
  const frame = new websocket.frame(Buffer.alloc(4), Buffer.alloc(10), connection.config);
  connection.sendFrame(Object.assign(frame, { opcode, binaryPayload: data, fin }));
}

const commands = {
  open(url, protocols) {
    const client = new websocket.client({ ...limits, tlsOptions: folder ? { ca: pem("ca") } : {} });
    client.on("connectFailed", (error) => say("failed", error.message));
    client.on("connect", follow);
    client.connect(url, names(protocols));
  },
  send: (kind, data) => (kind === "text" ? connection.sendUTF(unpack(data)) : connection.sendBytes(unpack(data))),
  parts(kind, ...parts) {
    parts.forEach((part, i) => {
      if (part === "ping") connection.ping(Buffer.from("between"));
      else sendFrame(i ? 0 : kind === "text" ? 1 : 2, unpack(part), i === parts.length - 1);
    });
  },
  ping: (data) => connection.ping(unpack(data)),
  close: (code, reason) => connection.close(Number(code), unpack(reason).toString()),
};

function serve() {
  const server = folder ? createSecureServer({ cert: pem("cert"), key: pem("key") }) : createServer();
  const acceptor = new websocket.server({ ...limits, httpServer: server });
  acceptor.on("request", (request) => {
    const chosen = request.requestedProtocols.includes("superchat") ? "superchat" : null;
    follow(request.accept(chosen, request.origin));
  });
  server.listen(0, "127.0.0.1", () => {
    say("listening", `${folder ? "wss" : "ws"}://127.0.0.1:${server.address().port}`);
  });
}

sayVersion("websocket");
if (role === "server") serve();
obey(commands);
