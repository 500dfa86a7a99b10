# What one member may send never closes another; names are what they look like; one name, many people.
serve --demo
listener=$(mktemp -p . listener.XXXX)
mkfifo quiet
coho connect "$url/chat?name=ear" --linger 0.2 -q <quiet >"$listener" &
ear=$!
exec 4>quiet
until grep -q welcome "$listener"; do :; done
printf '%04096d\n' 0 | tr 0 '\001' | coho connect "$url/chat?name=mouth" -q | tail -n 1 | wc -c
until grep -q '"type":"message"' "$listener"; do :; done
kill -0 "$ear" && echo 'still there'
exec 4>&-
status wait "$ear"
for name in %c2%9b31m %e2%80%ae %01 "$(printf '%065d' 0)"; do
  coho connect "$url/chat?name=$name" -q -x hello 2>&1 | plain
done
for i in 1 2 3; do coho connect "$url/chat?name=ann" -q -x "$i" & done | grep welcome | sed 's/"members".*//' | sort
