# --topics-max-message, and what has to have room for it.
send() { # BYTES
  python3 - "$url" "$1" <<'END'
import http.client, sys, urllib.parse
connection = http.client.HTTPConnection(urllib.parse.urlsplit(sys.argv[1]).netloc, timeout=20)
connection.request("POST", "/t/room", b"x" * int(sys.argv[2]))
print(sys.argv[2], connection.getresponse().status)
END
}
for size in '' 100 200k; do
  serve --topics ${size:+--topics-max-message "$size"}
  for bytes in 100 101 65536 65537 204800 204801; do send "$bytes"; done
  stop
done
status coho serve --topics --topics-max-message 0 2>&1
status coho serve --topics --topics-max-message 2G 2>&1
status coho serve --topics --topics-max-message 2M 2>&1
status coho serve --demo --topics-max-message 2M 2>&1
status coho serve --topics --topics-max-message 200k --limit queue=100k 2>&1
cat >wrong.yaml <<'END'
listen: ws://127.0.0.1:0
topics-max-message: 2M
topics:
  - {pattern: big/#, history-bytes: 4M}
  - {pattern: small, history-bytes: 2M}
END
status coho serve --config wrong.yaml --check-config 2>&1
cat >right.yaml <<'END'
listen: ws://127.0.0.1:0
topics-max-message: 2M
topics:
  - {pattern: '#', history-bytes: 4M}
END
launch "$COHO" serve --config right.yaml 2>>served
send 2097152
send 2097153
stop
cat served
