# A run goes on where the last one ended; after a restart of the hub it says what is missing.
serve --demo
printf '1\n2\n3\n4\n' | coho pub "$url/t/a" -q
coho sub "$url/t/a" --since 0 --state state -n 1 -q
coho sub "$url/t/a" --since 0 --state state -n 2 -q
sed -E 's/"[0-9a-z]+\./"E./' state
ls
coho sub "$url/t/a" --state state -n 1 -q
kill -9 "$server"
wait "$server" 2>/dev/null || true
servers=
address=${url#ws://}
launch "$COHO" serve --demo --listen "ws://$address" 2>>served
coho pub "$url/t/a" 'after the restart' -q
status coho sub "$url/t/a" --state state --exit-on-gap -q 2>&1 | sed -E 's/[0-9a-z]+\.([0-9]+)/E.\1/'
coho sub "$url/t/a" --state state -n 1 -q --json | sed -E 's/[0-9a-z]+\.([0-9]+)/E.\1/'
echo '{"a":1}' >state
status coho sub "$url/t/a" --state state
echo '{' >state
status coho sub "$url/t/a" --state state 2>/dev/null
status coho sub "$url/t/a" --state no/such/folder -n 1 -s 0 -q
