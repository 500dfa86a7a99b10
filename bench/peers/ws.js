// ws.js none|deflate [CERT KEY]: an echo server with npm ws. Prints "listening PORT".
'use strict';
const fs = require('fs');
const { WebSocketServer } = require('ws');

const [mode, cert, key] = process.argv.slice(2);
const server = cert
  ? require('https').createServer({ cert: fs.readFileSync(cert), key: fs.readFileSync(key) })
  : require('http').createServer();
const perMessageDeflate = mode === 'deflate' ? { threshold: 0 } : false;
const wss = new WebSocketServer({ server, perMessageDeflate, maxPayload: 64 << 20 });
wss.on('connection', (ws) => {
  ws.on('error', () => {});
  ws.on('message', (data, binary) => ws.send(data, { binary }));
});
server.listen(0, '127.0.0.1', 4096, () => console.log(`listening ${server.address().port}`));
