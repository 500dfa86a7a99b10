"""jwks.py FILE: serves FILE at http://127.0.0.1:PORT/keys, as it is at the time, and prints `listening URL`."""
import http.server
import pathlib
import signal
import sys

FILE = pathlib.Path(sys.argv[1])


class Keys(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        found = self.path.partition("?")[0] == "/keys"
        body = FILE.read_bytes() if found else b""
        self.send_response(200 if found else 404)
        self.send_header("Content-Type", "application/jwk-set+json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Keys)
print(f"listening http://127.0.0.1:{server.server_port}/", flush=True)
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
server.serve_forever()
