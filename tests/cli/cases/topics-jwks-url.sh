# Keys by URL: fetched at the start, again on SIGHUP, and named in the log when nobody answers.
key() { # NAME
  openssl genrsa -out "$1.pem" 2048 2>/dev/null
  python3 "$TESTS/jwt.py" --jwk "$1.pem" "{\"kid\":\"$1\"}" >"$1.json"
}
token() { python3 "$TESTS/jwt.py" "$1.pem" '{"iss":"https://id.example","exp":4102444800,"coho":{"sub":["room"]}}' "{\"kid\":\"$1\"}"; }
ask() { printf '%s: ' "$1"; http GET /t/room/history "Authorization: Bearer $(token "$1")" | head -n 1; }
reload() { # COUNT TEXT
  kill -HUP "$server"
  until [ "$(grep -c "$2" served)" = "$1" ]; do :; done
}
write() { # URL
  cat >coho.yaml <<END
listen: ws://127.0.0.1:0
verbose: 1
auth:
  issuers:
    - {issuer: https://id.example, jwks: "$1"}
END
}
key first
key second
cp first.json keys.json
launch python3 "$TESTS/jwks.py" keys.json
keys=$url/keys
write "$keys?secret=1"
launch "$COHO" serve --config coho.yaml 2>>served
ask first
ask second
cp second.json new.json
mv new.json keys.json
reload 2 'were fetched'
ask first
ask second
write "${keys%/keys}/none"
reload 2 'keys of tokens were read'
ask second
write "$keys"
reload 3 'keys of tokens were read'
ask second
stop
write "${keys%/keys}/none?secret=1"
launch "$COHO" serve --config coho.yaml 2>>served
ask second
stop
write http://127.0.0.1:1/keys
launch "$COHO" serve --config coho.yaml 2>>served
ask second
stop
# Two threads write the log.
sed -E 's/^2[^ ]+ //; s/127.0.0.1:[0-9]+/HOST/g; s/after [0-9]+ ms/after N ms/' served | LC_ALL=C sort
