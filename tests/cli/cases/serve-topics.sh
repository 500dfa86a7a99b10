# Topics without the demo: open to everybody, at /t/ or where they are told to be.
epoch() { sed -E 's/[0-9a-z]+\.([0-9]+)/E.\1/g'; }
serve --topics
coho pub "$url/t/room/tea" hello -q
status coho sub "$url/t/room/tea" --since 0 --count 1 -q
http GET /t/room/tea/history | epoch
http GET /live/stats/history | head -1
http POST /t/ | head -1
stop
serve --topics --topics-path /live/topics/
coho pub "$url/live/topics/" -t room/tea hello -q
http GET /live/topics/room/tea/history | epoch
http GET /t/room/tea/history | head -1
stop
cat >rules.yaml <<'END'
listen: ws://127.0.0.1:0
topics:
  - pattern: stocks/#
    slow: conflate
    interval: 0.05
  - {pattern: "short/+", history-count: 2}
  - {pattern: silent, no-history: true}
END
launch "$COHO" serve --config rules.yaml 2>>served
for n in 1 2 3; do
  coho pub "$url/t/short/a" "$n" -q
  coho pub "$url/t/long" "$n" -q
  coho pub "$url/t/silent" "$n" -q
  coho pub "$url/t/stocks/a" "$n" --conflation-key a -q
done
for topic in short/a long silent stocks/a; do http GET "/t/$topic/history" | epoch; done
stop
printf 'listen: ws://127.0.0.1:0\ntopics: []\n' >empty.yaml
launch "$COHO" serve --config empty.yaml 2>>served
http GET /t/room/tea/history | head -1
stop
echo wrong:
status coho serve --demo --topics
status coho serve --demo --topics-path /x/
status coho serve --topics --topics-path x
status coho serve --topics --topics-path /x
status coho serve --topics --topics-path /:x/
