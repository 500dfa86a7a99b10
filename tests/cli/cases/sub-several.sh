# Several topics on one connection, an interrupt, a reader that has enough, and a terminal that is safe.
serve --demo
for topic in a b/c; do
  "$COHO" sub "$url/t/" a b/c --since 0 --state state >heard 2>said &
  follower=$!
  until grep -qs connected said; do :; done
  coho pub "$url/t/$topic" "to $topic" -q
  until grep -qs to heard; do :; done
  kill -s INT "$follower"
  status wait "$follower"
  cat heard
done
sed -E 's/[0-9a-z]+\.([0-9]+)/E.\1/' state
printf 'one\ntwo\nthree\n' | coho pub "$url/t/many" -q
coho sub "$url/t/many" -s 0 -q | head -1 # and ends
printf 'bell \a escape \033[31m' | coho pub "$url/t/odd" --file /dev/stdin -q
printf "end\n" | terminal "$COHO" sub "$url/t/odd" -s 0 -n 1 -q
