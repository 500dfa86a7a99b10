# A log that nobody reads holds up neither requests nor the end; what was dropped is told afterwards.
mkfifo log
exec 5<>log
launch "$COHO" serve --root . --access-log --listen ws://127.0.0.1:0 2>&5
for i in 1 2 3 4 5 6 7 8 9 10; do
  python3 - "$url" <<'PYTHON'
import socket, sys
host, port = sys.argv[1].removeprefix("ws://").split(":")
s = socket.create_connection((host, int(port)))
request = f"GET /healthz?{'a' * 1000} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()
s.sendall(request * 50)
s.settimeout(20)
got = b""
while got.count(b"HTTP/1.1 200") < 50:
    got += s.recv(65536)
PYTHON
done
echo 'all answered'
kill "$server"
status wait "$server"
servers=
