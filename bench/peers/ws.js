// ws.js none|deflate [CERT KEY]: a server with npm ws; at /fan what comes goes to all of /fan, elsewhere
// it comes back. Prints "listening PORT".
'use strict';
const fs = require('fs');
const { WebSocketServer } = require('ws');

const [mode, cert, key] = process.argv.slice(2);
const server = cert
  ? require('https').createServer({ cert: fs.readFileSync(cert), key: fs.readFileSync(key) })
  : require('http').createServer();
const perMessageDeflate = mode === 'deflate' ? { threshold: 0 } : false;
const wss = new WebSocketServer({ server, perMessageDeflate, maxPayload: 64 << 20 });
const fan = new Set();
wss.on('connection', (ws, request) => {
  const all = request.url === '/fan' ? fan.add(ws) : [ws];
  ws.on('error', () => {});
  ws.on('close', () => fan.delete(ws));
  ws.on('message', (data, binary) => {
    for (const to of all) to.send(data, { binary });
  });
});
server.listen(0, '127.0.0.1', 4096, () => console.log(`listening ${server.address().port}`));
