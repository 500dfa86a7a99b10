# SIGHUP: origins, limits, patterns and keys change for who comes from then on; who is there goes on.
evil='Origin: https://page.example'
page() { http GET "$1" "$evil" | head -n 1; }
reload() { # COUNT
  kill -HUP "$server"
  until [ "$(grep -c 'configuration read again' served)" = "$1" ]; do :; done
}
echo 0123456789abcdef0123456789abcdef >secret
echo fedcba9876543210fedcba9876543210 >other
cat >coho.yaml <<'END'
listen: ws://127.0.0.1:0
max-message: 8
topics: []
END
launch "$COHO" serve --config coho.yaml 2>>served
hold
page /t/room/history
status coho connect "$url/echo" --origin https://page.example -q -x page 2>&1 | plain
cat >coho.yaml <<'END'
listen: ws://127.0.0.1:0
max-message: 4
origin: https://page.example
topics: []
auth:
  issuers: [{secret-file: secret}]
  open-subscribe: [news/#]
END
reload 1
page /t/news/history
page /t/room/history
status coho connect "$url/echo" --origin https://page.example -q -x page 2>&1 | plain
status coho connect "$url/echo" -q -x 'longer' 2>&1 | plain
echo 'longer' >&4
until grep -q longer answers; do :; done
token=$(python3 "$TESTS/jwt.py" secret '{"exp":4102444800,"coho":{"sub":["room"]}}')
http GET /t/room/history "Authorization: Bearer $token" | head -n 1
cat >coho.yaml <<'END'
listen: ws://127.0.0.1:0
max-message: 4
topics: []
threads: 2
auth:
  issuers: [{secret-file: other}]
  open-subscribe: ['#']
END
reload 2
page /t/news/history
http GET /t/room/history | head -n 1
http GET /t/room/history "Authorization: Bearer $token" | head -n 1
release
printf 'listen: ws://127.0.0.1:0\n' >coho.yaml
reload 3
http GET /t/room/history | head -n 1
stop
sed -E 's/^2[^ ]+ //' served
