# Patterns: in the URL and behind it; from now on, with the topic of each message.
serve --demo
follow() {
  "$COHO" sub "$@" -q >heard &
  follower=$!
  # What was published before it followed nobody heard: until the first is.
  until grep -qs ready heard; do coho pub "$url/t/room/ready" ready -q; done
}
told() {
  coho pub "$url/t/room/end" end -q
  until grep -q end heard; do :; done
  kill -s INT "$follower"
  status wait "$follower"
  grep -v -e ready -e end heard | sed -E 's/[0-9a-z]+\.([0-9]+)"/E.\1"/' | sort
}
for what in "$url/t/room/+" "$url/t/room/#" "$url/t/ room/+"; do
  follow $what -v
  coho pub "$url/t/room/tea" hello -q
  coho pub "$url/t/room/tea/green" deep -q
  coho pub "$url/t/hall" unheard -q
  told
done
follow "$url/t/" 'room/#' --json
coho pub "$url/t/room/json" hello -q
told
for what in '--since 0' '--last 2' --no-follow '--state x' --presence '--as ann'; do
  status coho sub "$url/t/#" $what
done
status coho sub "$url/t/" 'a/#/b'
status coho sub "$url/t/" 'a+'
status coho pub "$url/t/room/+" x
