# Health, metrics and a page on a listener of their own, for those who are asked in.
serve --demo --admin ws://127.0.0.1:0
read -r word admin <&3
echo "$word"
main=$url
coho connect "$main/echo" -q -x hello
url=${admin%/}
http GET /healthz
http GET /readyz
http GET /session
http GET /metrics 'Host: evil.example'
http GET /metrics 'Host: localhost'  | sed -n 1p
http GET /metrics 'Origin: http://evil.example'
python3 "$TESTS/metrics.py" "$url"
http GET / | grep '<title>'
http GET / 'Host: evil.example'
http GET /admin.js 'Host: evil.example'
http GET /coho.css 'Origin: http://evil.example'
http GET /index.html 'Host: localhost' | sed -n 1p
http GET /coho.js | sed -n 1p
url=$main
http GET /admin.html | sed -n 1p
http GET /metrics | sed -n 1p
status coho connect "${admin}feed" -x '{"op":"close","id":"00000000ffffffff","code":1000}' 2>/dev/null
status coho connect "${admin}feed" -x 'no json' 2>&1 | plain
status coho connect "${admin}feed" --origin https://evil.example -x '{"op":"list"}' 2>&1 | plain
stop
