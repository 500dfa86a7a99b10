// A server made with ws. The path says what it does; it tells on its standard output how connections closed.

import { WebSocketServer } from "ws";

const acts = {
  "/echo": (ws) => ws.on("message", (data, isBinary) => ws.send(data, { binary: isBinary })),
  "/fragments": (ws) => {
    ws.send("a b\u00e9", { fin: false });
    ws.send("tw", { fin: false });
    ws.send("een", { fin: true });
    ws.send(Buffer.from([0, 1]), { fin: false });
    ws.send(Buffer.from([2]), { fin: true });
    ws.close(1000);
  },
  "/ping": (ws) => {
    ws.on("pong", (data) => {
      ws.send(`pong ${data}`);
      ws.close(1000);
    });
    ws.ping("from ws");
  },
  "/close": (ws) => ws.close(4001, "bye \u2603"),
  "/head": (ws, request) => {
    ws.send(`${request.headers["x-test"]} ${request.headers.origin}`);
    ws.close(1000);
  },
};

const server = new WebSocketServer({
  host: "127.0.0.1",
  port: 0,
  maxPayload: 4 << 20,
  handleProtocols: (offered) => (offered.has("superchat") ? "superchat" : false),
});
server.on("listening", () => console.log(`listening ws://127.0.0.1:${server.address().port}`));
server.on("connection", (ws, request) => {
  ws.on("close", (code, reason) => console.log(`closed ${code} ${reason}`.trim()));
  acts[request.url](ws, request);
});
