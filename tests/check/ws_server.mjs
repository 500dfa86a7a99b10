// An echo server made with ws, which compresses.

import { createRequire } from "node:module";

const { WebSocketServer } = createRequire(new URL("../interop/", import.meta.url))("ws");

const server = new WebSocketServer({
  host: "127.0.0.1",
  port: 0,
  backlog: 512,
  maxPayload: 64 << 20,
  perMessageDeflate: { threshold: 0 },
});
server.on("listening", () => console.log(`listening ws://127.0.0.1:${server.address().port}`));
server.on("connection", (ws) => {
  ws.on("error", () => {});
  ws.on("message", (data, isBinary) => ws.send(data, { binary: isBinary }));
});
