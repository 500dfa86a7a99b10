# wss:// and ws:// side by side, and a certificate that the client verifies, or does not trust.
authority ca
authority other
certificate server ca DNS:localhost
launch "$COHO" serve -l wss://localhost:0 -l ws://localhost:0 --tls server.pem,server.key -v 2>served
read -r _ open <&3
echo "$url $open" | plain
echo hello | coho connect "${open}echo" -q
echo hello | coho connect "$url/echo" --cacert ca.pem -v 2>&1 | plain
coho connect "https${url#wss}/echo" --cacert ca.pem -q -x 'the scheme of pages'
echo hello | status coho connect "$url/echo" --cacert other.pem 2>&1 | plain
echo hello | status coho connect "$url/echo" 2>&1 | plain
coho connect "$url/echo" -k -q -x 'not checked'
status coho connect "wss://127.0.0.1${url#wss://localhost}/echo" --cacert ca.pem -q -x hello 2>&1 | plain
coho connect "wss://127.0.0.1${url#wss://localhost}/echo" --cacert ca.pem --tls-name localhost -q -x 'by name'
status coho connect "$url/echo" --cacert ca.pem --tls-name other.example -q -x hello 2>&1 | plain
status coho connect "ws${url#wss}/echo" -q -x hello 2>&1 | plain
stop
sed -E 's/^[^ ]+ //' served | plain
