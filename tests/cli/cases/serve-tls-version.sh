# TLS before 1.2 is refused, in both roles.
authority ca
certificate server ca DNS:localhost
secure --tls server.pem,server.key -v
address=${url#wss://}
for version in tls1 tls1_1 tls1_2 tls1_3; do
  openssl s_client -connect "$address" "-$version" -cipher DEFAULT@SECLEVEL=0 </dev/null >told 2>&1 || true
  echo "$version: $(grep -oE '^New, TLSv1[.0-9]*|alert protocol version' told | head -n 1)"
done
stop
sed -E 's/^[^ ]+ //' served | plain
launch openssl s_server -accept 127.0.0.1:0 -no_dhe -www -key server.key -cert server.pem -tls1_1 -cipher DEFAULT@SECLEVEL=0 2>/dev/null
status coho connect "wss://localhost:${url##*:}/" --cacert ca.pem -x hello 2>&1 | plain
kill "$server"
wait "$server" 2>/dev/null || true
servers=
