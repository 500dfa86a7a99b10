# /coho.js, the browser client: with topics wherever the pages are, compressed for who takes that.
head_of() { # PATH [FIELD...]
  python3 - "$url" "$@" <<'END'
import gzip, http.client, sys, urllib.parse
url, path, *fields = sys.argv[1:]
connection = http.client.HTTPConnection(urllib.parse.urlsplit(url).netloc, timeout=20)
connection.request("GET", path, headers=dict(field.split(": ", 1) for field in fields))
answer = connection.getresponse()
body = answer.read()
if answer.status == 200 and answer.getheader("Content-Encoding") == "gzip":
    assert len(body) == int(answer.getheader("Content-Length")) and len(body) < 4200
    body = gzip.decompress(body)
print(answer.status, *(f"{name}={answer.getheader(name)}" for name in ("Content-Type", "Content-Encoding", "Vary", "Cache-Control")))
print("a module that exports Coho" if b"export{" in body and len(body) < 9000 else body.decode()[:40])
with open("tag", "w") as tags:
    tags.write(answer.getheader("ETag") or "")
END
}
serve --topics
head_of /coho.js
plain_tag=$(cat tag)
head_of /coho.js 'Accept-Encoding: gzip'
head_of /coho.js 'Accept-Encoding: gzip' "If-None-Match: $(cat tag)"
head_of /coho.js 'Accept-Encoding: gzip' "If-None-Match: $plain_tag"
stop
mkdir www
serve --root www
head_of /coho.js
stop
serve --root www --topics
head_of /coho.js
stop
echo 'my own' >www/coho.js
serve --root www --topics
head_of /coho.js
stop
serve --demo
head_of /coho.js
head_of /chat.js 'Accept-Encoding: gzip;q=0' | head -n 1
head_of / | head -n 1
stop
