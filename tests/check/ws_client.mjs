// An echo client made with ws: ws_client.mjs [--driver] URL, as client.py.

import { createRequire } from "node:module";

const WebSocket = createRequire(new URL("../interop/", import.meta.url))("ws");

const options = { maxPayload: 64 << 20, perMessageDeflate: { threshold: 0 }, rejectUnauthorized: false };

// Until the connection is over, in whatever way.
function talk(url, onMessage) {
  const ws = new WebSocket(url, options);
  ws.on("error", () => {});
  ws.on("message", (data, isBinary) => onMessage(data, isBinary, ws));
  return new Promise((resolve) => ws.on("close", resolve));
}

const echo = (url) => talk(url, (data, isBinary, ws) => ws.send(data, { binary: isBinary }));

async function ask(url) {
  let heard = "";
  await talk(url, (data) => (heard = data.toString()));
  return heard;
}

const driver = process.argv[2] === "--driver";
const url = process.argv.at(-1).replace(/\/$/, "");
if (driver) {
  const count = Number(await ask(`${url}/getCaseCount`));
  for (let number = 1; number <= count; number++) {
    await echo(`${url}/runCase?case=${number}&agent=npm%20ws`);
    console.log(await ask(`${url}/getCaseStatus?case=${number}&agent=npm%20ws`));
  }
  await ask(`${url}/updateReports?agent=npm%20ws`);
} else {
  await echo(url);
}
