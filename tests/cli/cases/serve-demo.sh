# What the demo serves, and a graceful end.
serve --demo
http GET /healthz
http HEAD /healthz
http GET / | sed -n '1p; s/.*<title>\(.*\)<\/title>.*/\1/p'
http GET /nothing | sed -n 1p
http GET /echo | sed -n 1p
http POST /healthz | sed -n 1p
echo hello | coho connect "$url/echo" -q
stop
