# SIGHUP: new connections get the new certificate, open ones stay, and a wrong pair changes nothing.
authority old
authority new
certificate a old DNS:localhost
certificate b new DNS:localhost
cp a.pem cert.pem
cp a.key key.pem
secure --tls cert.pem,key.pem
hold --cacert old.pem
cp b.pem cert.pem
kill -HUP "$server"
await 'stay as they were'
coho connect "$url/echo" --cacert old.pem -q -x 'the old one'
cp b.key key.pem
kill -HUP "$server"
await 'read again'
coho connect "$url/echo" --cacert new.pem -q -x 'the new one'
status coho connect "$url/echo" --cacert old.pem -q -x 'the old one' 2>&1 | plain
rm key.pem
: >served
kill -HUP "$server"
await 'stay as they were'
coho connect "$url/echo" --cacert new.pem -q -x 'the new one'
echo after >&4
release
cat answers
stop
sed -E 's/^[^ ]+ //' served
