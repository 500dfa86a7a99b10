# --ping shows how long pongs take, until there were three.
serve --demo
mkfifo said
"$COHO" connect "$url/echo" --ping 0.02 --linger 999 -x hi 2>said >/dev/null &
client=$!
sed -n "/pong/{p; /'3'/q}" <said | plain
kill "$client" 2>/dev/null || true
status wait "$client"
