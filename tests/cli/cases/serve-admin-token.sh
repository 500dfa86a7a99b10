# Whoever has no token gets nothing but health.
printf 'sixteen-letters-at-least\n' >token
serve --admin ws://127.0.0.1:0 --admin-token token
read -r _ admin <&3
url=${admin%/}
http GET /healthz
http GET /readyz
http GET /session
http GET /metrics
http GET /metrics 'Authorization: Bearer sixteen-letters-at-leasT'
python3 "$TESTS/metrics.py" "$url" 'Authorization: Bearer sixteen-letters-at-least' | sed -n 1p
status coho connect "${admin}feed" -x '{"op":"list"}' 2>&1 | plain
status coho connect "${admin}feed" -H 'Authorization: Bearer sixteen-letters-at-least' -q \
  -x '{"op":"close","id":"none","code":1000}'
stop
