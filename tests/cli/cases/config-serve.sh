# A file, and the command line in its place.
cat >coho.yaml <<'END'
listen:
  - ws://127.0.0.1:0
  - ws://127.0.0.1:0
max-message: 5
origin: https://a.example
limit: {fields: 20}
timeout:
  stop: 1
access-log: true
verbose: 2
END
launch "$COHO" serve --config coho.yaml 2>>served
read -r _ second <&3
status coho connect "$url/echo" -q -x hello
status coho connect "${second%/}/echo" -q -x 'too long' 2>&1 | plain
status coho connect "$url/echo" --origin https://b.example -q -x hello 2>&1 | plain
stop
grep -c '"GET /echo" 101' served || true
: >served
launch "$COHO" serve --config coho.yaml --listen ws://127.0.0.1:0 --max-message 8 --origin https://b.example \
  --access-log=false -v 2>>served
status coho connect "$url/echo" --origin https://b.example -q -x 'too long'
status coho connect "$url/echo" --origin https://a.example -q -x hello 2>&1 | plain
stop
grep -c '"GET /echo" 101' served || true
grep -c debug served || true
