# SIGHUP again and again while clients come, go, publish and follow: nobody is refused, cut or left out.
write() { # MESSAGE-LIMIT
  cat >next.yaml <<END
listen: ws://127.0.0.1:0
threads: 2
topics-max-message: $1
limit: {body: $1, per-address: 1000}
origin: https://page.example
auth:
  issuers: [{secret-file: secret$2}]
  open-subscribe: ['#']
  open-publish: ['#']
END
  mv next.yaml coho.yaml
}
echo 0123456789abcdef0123456789abcdef >secret0
echo fedcba9876543210fedcba9876543210 >secret1
write 1000 0
launch "$COHO" serve --config coho.yaml 2>>served
python3 - "$url" <<'END' >told &
import http.client, sys, threading, urllib.parse
host = urllib.parse.urlsplit(sys.argv[1]).netloc
WRITERS, EACH = 6, 60
bad = []

def write(who):
    for i in range(EACH):
        connection = http.client.HTTPConnection(host, timeout=30)
        connection.request("POST", "/t/room", f"{who} {i}", {"Origin": "https://page.example"})
        if connection.getresponse().status != 200: bad.append((who, i))
        connection.close()

stream = http.client.HTTPConnection(host, timeout=30)
stream.request("GET", "/t/room", headers={"Accept": "text/event-stream"})
lines = stream.getresponse()
threads = [threading.Thread(target=write, args=(who,)) for who in range(WRITERS)]
for one in threads: one.start()
seen, rest = {who: [] for who in range(WRITERS)}, WRITERS * EACH
while rest:
    line = lines.readline().decode()
    if line.startswith("data: "):
        who, i = line[6:].split()
        seen[int(who)].append(int(i))
        rest -= 1
for one in threads: one.join()
print("refused:", bad, "in order:", all(got == list(range(EACH)) for got in seen.values()))
END
clients=$!
count=0
while [ "$count" -lt 20 ]; do
  count=$((count + 1))
  write $((1000 + count)) $((count % 2))
  kill -HUP "$server"
  until [ "$(grep -c 'configuration read again' served)" = "$count" ]; do :; done
done
status wait "$clients"
cat told
stop
sed -E 's/^2[^ ]+ //' served | sort | uniq -c | sed 's/^ *//'
