# What is published are objects, as coho sub --json prints them.
epoch() { sed -E 's/[0-9a-z]+\.([0-9]+)"/E.\1"/'; }
serve --demo
cat >objects <<'END'
{"topic":"a","data":"one"}
{"topic":"b","data":{"two": [1, null]},"pos":"k.1","other":true}
{"op":"gap","topic":"a","lost":3,"pos":"k.9"}
{"topic":"a","data64":"AP8="}
{"topic":"a","data":"once","idem":"x"}
{"topic":"a","data":"once","idem":"x"}
END
coho pub "$url/t/" --json -q <objects
coho pub "$url/t/" --json <objects 2>said | epoch
echo a copy:
coho sub "$url/t/" a b --no-follow --json -q | coho pub "$url/t/copy" --json -q
coho sub "$url/t/copy" --no-follow --json -q | epoch | sort
echo one:
coho pub "$url/t/c" '{"data":"hello"}' --json -q
coho pub "$url/t/" '{"data":"hello"}' --json --topic c | epoch
coho sub "$url/t/c" --no-follow -q
echo wrong:
for what in 'text' '[]' '{}' '{"data":"a","data64":"AA=="}' '{"data64":"*"}' '{"data64":1}' \
  '{"data":"a","key":""}' '{"data":"a","idem":7}' '{"data":"a","topic":7}'; do
  echo "$what" | status coho pub "$url/t/a" --json -q
done
echo '{"data":"a"}' | status coho pub "$url/t/" --json -q
echo '{"data":"a","topic":"a//b"}' | status coho pub "$url/t/" --json -q
for what in '--file objects' --binary '--conflation-key k' '--idempotency-key k'; do
  status coho pub "$url/t/a" --json $what
done
