# JSON: an object in each line, whatever the request holds, with the secrets of the query as *.
serve --demo --access-log --access-log-format json
http GET '/healthz?ticket=secret' >/dev/null
raw 'G(T / HTTP/1.1\r\n\r\n' >/dev/null || true
coho connect "$url/echo?access_token=secret" -q -x hello
stop
grep '^{' served | python3 -c '
import datetime, json, sys
for line in sys.stdin:
    entry = json.loads(line)
    datetime.datetime.strptime(entry.pop("time"), "%Y-%m-%dT%H:%M:%S.%fZ")
    assert entry.pop("peer").startswith("127.0.0.1:") and entry.pop("bytes") >= 0 and entry.pop("duration_ms") >= 0
    print(entry)
'
grep -c secret served || true
