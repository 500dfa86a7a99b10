# A hub that is killed and starts again: the gap is told, and it goes on.
serve --demo
coho sub "$url/t/a" --since 0 --count 3 --json >heard 2>said &
follower=$!
coho pub "$url/t/a" one -q
coho pub "$url/t/a" two -q
until grep -q two heard; do :; done
kill -9 "$server"
wait "$server" 2>/dev/null || true
servers=
launch "$COHO" serve --demo --listen "$url" 2>>served
coho pub "$url/t/a" three -q
status wait "$follower"
sed -E 's/[0-9a-z]+\.([0-9]+)"/E.\1"/' heard
sed -E 's/[0-9a-z]+\.([0-9]+)$/E.\1/; s/in [0-9.]+ s/in N s/' said | plain | grep -v 'trying again'
