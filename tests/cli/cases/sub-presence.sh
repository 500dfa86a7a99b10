# Who is here, comes and goes.
epoch() { sed -E 's/[0-9a-z]+\.[0-9]+"/E.N"/'; }
cat >coho.yaml <<'END'
listen: ws://127.0.0.1:0
topics: [{pattern: "#", grace: 0.001}]
END
launch "$COHO" serve --config coho.yaml
status coho sub "$url/t/room" --presence --no-follow -q
watch() {
  "$COHO" sub "$url/t/room" --presence --as ann --info '{"color":"red"}' -q "$@" >heard &
  watcher=$!
  until grep -q ann heard; do :; done
}
visit() {
  "$COHO" sub "$url/t/room" --as "$1" -q >visited &
  visitor=$!
  until grep -q "$1" heard; do :; done
  kill "$visitor"
  wait "$visitor"
}
watch --count 3
visit bob
status wait "$watcher"
cat heard
watch --count 3 --json
visit 'b b'
status wait "$watcher"
epoch <heard
watch --count 3 -v
printf 'end\n' | terminal "$COHO" sub "$url/t/room" --presence --no-follow -q
visit cy
status wait "$watcher"
cat heard
stop
for what in '--as' '--as=' '--info {}' '--as ann --info {' '--presence --last 1' '--presence --since 0' \
  '--presence --state x' '--presence --hex'; do
  status coho sub ws://h/t/a $what
done
status coho sub ws://h/t/a/presence --as ann
