# A certificate that has expired: the server warns, the client refuses.
authority ca
certificate old ca DNS:localhost '-days -1'
secure --tls old.pem,old.key
status coho connect "$url/echo" --cacert ca.pem -q -x hello 2>&1 |
  sed -E 's/[0-9]{4}-[0-9]{2}-[0-9]{2}/DATE/' | plain
stop
sed -E 's/^[^ ]+ //' served
