# A line for each request and each finished connection.
serve --demo --access-log
http GET /healthz >/dev/null
http GET /nothing >/dev/null
coho connect "$url/echo?x=%1b" -q -x hello
stop
sed -E '/open http/d; s/^[0-9T:.Z+-]+ //; s/^127\.0\.0\.1:[0-9]+/PEER/; s/[0-9]+ [0-9.]+ ?ms/N bytes, N ms/' served
