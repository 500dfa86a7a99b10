# A certificate in memory, for trying things.
secure --tls self
echo hello | coho connect --insecure "$url/echo" 2>&1 | plain
echo hello | status coho connect "$url/echo" -q 2>&1 | plain
kill -HUP "$server"
await 'read again'
coho connect -k "$url/echo" -q -x 'still there'
stop
