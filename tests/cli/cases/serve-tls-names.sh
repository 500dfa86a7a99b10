# Several certificates: each serves its names, the first one who names none.
authority ca
certificate first ca DNS:first.example,IP:127.0.0.1
certificate second ca 'DNS:second.example,DNS:*.second.example'
for more in '' --tls-any-name; do
  secure --tls first.pem,first.key --tls second.pem,second.key $more
  for name in first.example second.example a.second.example third.example; do
    status coho connect "$url/echo" --cacert ca.pem --tls-name "$name" -q -x "$name" 2>&1 | plain
  done
  coho connect "wss://127.0.0.1${url#wss://localhost}/echo" --cacert ca.pem -q -x 'no name'
  stop
done
