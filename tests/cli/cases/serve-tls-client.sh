# Mutual TLS: who shows no certificate of the authority is not let in, or only when that is said.
authority ca
authority other
certificate server ca DNS:localhost
certificate friend ca DNS:friend.example
certificate stranger other DNS:stranger.example
for more in '' --tls-client-optional; do
  secure --tls server.pem,server.key --tls-client-ca ca.pem $more
  status coho connect "$url/echo" --cacert ca.pem -q -x nobody 2>&1 | plain
  status coho connect "$url/echo" --cacert ca.pem --cert friend.pem --key friend.key -q -x friend 2>&1 | plain
  status coho connect "$url/echo" --cacert ca.pem --cert stranger.pem --key stranger.key -q -x stranger 2>&1 | plain
  stop
done
