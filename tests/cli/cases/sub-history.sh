# What was said before, and no more than that.
epoch() { sed -E 's/[0-9a-z]+\.([0-9]+)/E.\1/'; }
serve --demo
printf '1\n2\n3\n4\n5\n' | coho pub "$url/t/a" -q
coho pub "$url/t/b/c" else -q
all() { status coho sub "$url/t/a" --no-follow -q "$@"; }
echo all:
all
echo nothing:
status coho sub "$url/t/none" --no-follow -q
echo last:
all --last 2
status coho sub "$url/t/a" --last 2 --count 2 -q
all --last 1000 --count 1
echo since:
since=$(coho sub "$url/t/a" --since 0 --count 3 --json -q | sed -n '3s/.*"pos":"\([^"]*\)".*/\1/p')
all --since "$since"
echo several:
coho sub "$url/t/" a b/c none --no-follow -q -v | sort
echo state:
all --state state --last 1
coho pub "$url/t/a" 6 -q
all --state state --last 1
all --state state
echo 'another life:'
kill -9 "$server"
wait "$server" 2>/dev/null || true
servers=
launch "$COHO" serve --demo --listen "$url" 2>>served
coho pub "$url/t/a" new -q
all --state state 2>&1 | epoch
all --state state
status coho sub "$url/t/a" --since 0 --last 1
