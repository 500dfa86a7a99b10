# What may be done about a certificate is told only where it helps.
authority ca
certificate old ca DNS:localhost '-days -1'
certificate other ca DNS:other.example
for pair in old.pem,old.key other.pem,other.key self; do
  secure --tls "$pair" --tls-any-name
  status coho connect "$url/echo" --cacert ca.pem -x hello 2>&1 | sed -E 's/[0-9]{4}-[0-9]{2}-[0-9]{2}/DATE/' | plain
  stop
done
