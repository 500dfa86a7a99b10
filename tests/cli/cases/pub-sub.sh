# What is published is followed, with its positions; the epoch is another one each time.
epoch() { sed -E 's/[0-9a-z]+\.([0-9]+)/E.\1/g'; }
serve --demo
coho pub "$url/t/room/tea" hello -q | cat
printf 'two\n\nw\303\266rld' | coho pub "$url/t/" --topic room/tea -q
coho pub "$url/t/room/tea" '"quoted" \' | epoch
printf '\0\1\377' | coho pub "$url/t/room/tea" --binary --file /dev/stdin | epoch
coho pub "$url/t/room/tea" once --idempotency-key key | epoch
coho pub "$url/t/room/tea" once --idempotency-key key | epoch
echo 'all:'
status coho sub "$url/t/room/tea" --since 0 --count 5 -q
echo 'as JSON:'
status coho sub "$url/t/" room/tea --since 0 --count 7 --json -q | epoch
echo 'nothing more:'
status coho sub "$url/t/room/tea" --timeout 0.1 -q
status coho sub "$url/t/room/tea" --timeout 0.1 --count 1 -q
stop
