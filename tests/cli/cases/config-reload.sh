# SIGHUP: a wrong file changes nothing and each error is a line; a right one changes what it can.
printf 'listen: ws://127.0.0.1:0\n' >coho.yaml
launch "$COHO" serve --config coho.yaml 2>>served
coho connect "$url/echo" -q -x 'not logged'
hold
printf 'listen: ws://127.0.0.1:0\naccess-log: yes\nthread: 2\n' >coho.yaml
kill -HUP "$server"
await 'stays as it was'
rm coho.yaml
kill -HUP "$server"
await 'no such file'
cat >coho.yaml <<'END'
listen: [ws://127.0.0.1:0, ws://127.0.0.1:0]
threads: 2
access-log: true
access-log-format: json
verbose: 1
END
kill -HUP "$server"
await 'read again'
coho connect "$url/echo?token=secret" -q -x 'logged'
await '"code":1000'
: >more
printf 'listen: ws://127.0.0.1:0\naccess-log: true\naccess-log-file: /nowhere/log\n' >coho.yaml
kill -HUP "$server"
await 'access log stays'
printf 'listen: ws://127.0.0.1:0\naccess-log: false\n' >coho.yaml
kill -HUP "$server"
until [ "$(grep -c 'read again' served)" = 3 ]; do :; done
coho connect "$url/echo" -q -x 'not logged'
echo after >&4
release
cat answers
stop
sed -E 's/^2[^ ]+ //; s/"time":"[^"]*"/TIME/; s/127\.0\.0\.1:[0-9]+/PEER/; s/"(bytes|duration_ms)":[0-9]+/"\1":N/g' served
