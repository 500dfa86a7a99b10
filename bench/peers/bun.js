// bun.js none|deflate [CERT KEY]: a server with Bun, which has uWebSockets inside; at /fan what comes
// goes to all of /fan, elsewhere it comes back. Prints "listening PORT".
const [mode, cert, key] = Bun.argv.slice(2);
const server = Bun.serve({
  port: 0,
  hostname: '127.0.0.1',
  tls: cert ? { cert: Bun.file(cert), key: Bun.file(key) } : undefined,
  fetch: (request, self) => {
    const fan = new URL(request.url).pathname === '/fan';
    return self.upgrade(request, { data: { fan } }) ? undefined : new Response('no');
  },
  websocket: {
    perMessageDeflate: mode === 'deflate' ? { compress: 'shared', decompress: 'shared' } : false,
    maxPayloadLength: 64 << 20,
    open(ws) {
      if (ws.data.fan) ws.subscribe('fan');
    },
    message(ws, data) {
      if (ws.data.fan) server.publish('fan', data, mode === 'deflate');
      else ws.send(data, mode === 'deflate');
    },
  },
});
console.log(`listening ${server.port}`);
