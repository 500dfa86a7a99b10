// bun.js none|deflate [CERT KEY]: an echo server with Bun, which has uWebSockets inside. Prints
// "listening PORT".
const [mode, cert, key] = Bun.argv.slice(2);
const server = Bun.serve({
  port: 0,
  hostname: '127.0.0.1',
  tls: cert ? { cert: Bun.file(cert), key: Bun.file(key) } : undefined,
  fetch: (request, self) => (self.upgrade(request) ? undefined : new Response('no')),
  websocket: {
    perMessageDeflate: mode === 'deflate' ? { compress: 'shared', decompress: 'shared' } : false,
    maxPayloadLength: 64 << 20,
    message(ws, data) {
      ws.send(data, mode === 'deflate');
    },
  },
});
console.log(`listening ${server.port}`);
