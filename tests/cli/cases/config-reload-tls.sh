# SIGHUP with a file: the certificates are read again with it, and a wrong one keeps the configuration, too.
authority old
authority new
certificate a old DNS:localhost
certificate b new DNS:localhost
cp a.pem cert.pem
cp a.key key.pem
printf 'listen: wss://localhost:0\ntls: cert.pem,key.pem\n' >coho.yaml
launch "$COHO" serve --config coho.yaml 2>>served
coho connect "$url/echo" --cacert old.pem -q -x 'the old one'
cp b.pem cert.pem
printf 'listen: wss://localhost:0\ntls: cert.pem,key.pem\naccess-log: true\n' >coho.yaml
kill -HUP "$server"
await 'stays as it was'
coho connect "$url/echo" --cacert old.pem -q -x 'the old one'
cp b.key key.pem
kill -HUP "$server"
await 'certificates were read'
coho connect "$url/echo" --cacert new.pem -q -x 'the new one'
await '" 1000 '
stop
sed -E 's/^2[^ ]+ //; s/(127\.0\.0\.1|\[::1\]):[0-9]+/PEER/; s/[0-9]+ [0-9.]+ ?ms/N bytes, N ms/' served
