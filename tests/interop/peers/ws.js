// An end made with npm's ws: see ../end.py.

import { createServer } from "node:http";
import { createServer as createSecureServer } from "node:https";
import WebSocket, { WebSocketServer } from "ws";
import { folder, names, obey, pack, pem, role, say, sayVersion, unpack } from "./lines.js";

const options = { maxPayload: 4 << 20, perMessageDeflate: true };
let ws;

function follow(connection) {
  ws = connection;
  ws.on("message", (data, isBinary) => say(isBinary ? "binary" : "text", pack(data)));
  ws.on("ping", (data) => say("ping", pack(data)));
  ws.on("pong", (data) => say("pong", pack(data)));
  ws.on("error", () => {}); // close follows
  ws.on("close", (code, reason) => say("closed", code, pack(reason)));
}

const commands = {
  open(url, protocols) {
    const client = new WebSocket(url, names(protocols), { ...options, ca: folder && pem("ca") });
    const failed = (error) => say("failed", error.message);
    client.on("error", failed);
    client.on("open", () => {
      client.off("error", failed);
      say("opened", client.protocol || "-");
      follow(client);
    });
  },
  send: (kind, data) => ws.send(unpack(data), { binary: kind === "binary" }),
  parts(kind, ...parts) {
    parts.forEach((part, i) => {
      if (part === "ping") ws.ping("between");
      else ws.send(unpack(part), { binary: kind === "binary", fin: i === parts.length - 1 });
    });
  },
  ping: (data) => ws.ping(unpack(data)),
  close: (code, reason) => (code === "0" ? ws.close() : ws.close(Number(code), unpack(reason))),
};

function serve() {
  const server = folder ? createSecureServer({ cert: pem("cert"), key: pem("key") }) : createServer();
  const handleProtocols = (offered) => (offered.has("superchat") ? "superchat" : false);
  new WebSocketServer({ ...options, server, handleProtocols }).on("connection", (connection) => {
    say("opened", connection.protocol || "-");
    follow(connection);
  });
  server.listen(0, "127.0.0.1", () => {
    say("listening", `${folder ? "wss" : "ws"}://127.0.0.1:${server.address().port}`);
  });
}

sayVersion("ws");
if (role === "server") serve();
obey(commands);
