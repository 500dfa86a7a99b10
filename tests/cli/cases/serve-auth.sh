# Who may: keys of a file, read again on SIGHUP, and of a URL.
token() { python3 "$TESTS/jwt.py" "$@"; }
ask() { http GET "$1" "Authorization: Bearer $2" | head -1; }
ANN='"exp":4102444800,"aud":"chat","sub":"ann","coho":{"sub":["room/+"],"pub":["room/tea"]}'
echo 0123456789abcdef0123456789abcdef >secret
echo fedcba9876543210fedcba9876543210 >other
cat >coho.yaml <<'END'
listen: ws://127.0.0.1:0
access-log: true
verbose: 1
auth:
  issuers:
    - secret-file: secret
  audience: [chat, mail]
  cookie: session
  open-subscribe: [news/#]
END
launch "$COHO" serve --config coho.yaml 2>>served
token secret "{$ANN}" >ann
token other "{$ANN}" >forged
token secret '{"exp":1,"aud":"chat"}' >late
http GET /t/room/tea/history
http GET /t/news/a/history | head -1
ask /t/room/tea/history "$(cat ann)"
ask /t/other/history "$(cat ann)"
ask /t/room/tea/history "$(cat forged)"
ask /t/room/tea/history "$(cat late)"
http GET /t/room/tea/history "Cookie: session=$(cat ann)" | head -1
http GET /t/room/tea/history "Cookie: session=$(cat ann)" 'Origin: https://evil.example' | head -1
echo published:
status coho pub "$url/t/room/tea" hello --token-file ann -q
status coho sub "$url/t/room/tea" --since 0 --count 1 --token-file ann -q
status coho pub "$url/t/room/tea" hello -q 2>errors
status coho pub "$url/t/room/coffee" hello --token-file ann -q 2>errors
status coho pub "$url/t/room/tea" hello --token-file forged -q 2>errors
echo ticket:
http POST /t/ "Authorization: Bearer $(cat ann)" | sed -E '1d; s/"ticket":"([^"]*)".*/\1/; s/^.//' >ticket
http GET "/t/room/tea/history?ticket=$(cat ticket)" | head -1
http GET "/t/room/tea/history?ticket=$(cat ticket)" | head -1
echo another secret:
cp other secret
kill -HUP "$server"
await 'keys of tokens were read again'
ask /t/room/tea/history "$(cat forged)"
ask /t/room/tea/history "$(cat ann)"
echo no secret:
echo short >secret
kill -HUP "$server"
await 'stays as it was'
ask /t/room/tea/history "$(cat forged)"
stop
# Nothing of a token or ticket in the log.
for secret in ann forged late ticket; do
  cut -c 1-12 "$secret" | grep -F -c -f - served || true
  tail -c 13 "$secret" | grep -F -c -f - served || true
done
grep -o 'COHO_E[A-Z]*' served | sort | uniq -c | sed 's/^ *//'
echo by URL:
openssl genrsa -out rsa.pem 2048 2>>served
mkdir www
python3 "$TESTS/jwt.py" --jwk rsa.pem '{"kid":"a"}' >www/keys.json
serve --root www
keys=http${url#ws}/keys.json
cat >fetched.yaml <<END
listen: ws://127.0.0.1:0
auth: {issuers: [{issuer: https://id.example, jwks: "$keys"}]}
END
launch "$COHO" serve --config fetched.yaml 2>>served
ask /t/room/tea/history "$(token rsa.pem "{$ANN,\"iss\":\"https://id.example\"}" '{"kid":"a"}')"
ask /t/room/tea/history "$(token rsa.pem "{$ANN,\"iss\":\"https://evil.example\"}" '{"kid":"a"}')"
stop
