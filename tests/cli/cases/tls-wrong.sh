# Each mistake with the options of TLS gets a sentence, and exit status 2 before anybody listens.
authority ca
certificate a ca DNS:localhost
certificate b ca DNS:localhost
openssl ec -in a.key -aes128 -passout pass:secret -out locked.key 2>/dev/null
for words in '' '--tls a.pem' '--tls a.pem,' '--tls ,a.key' '--tls a.pem,a.key,b.key' '--tls a.pem,nothing' \
  '--tls nothing,a.key' '--tls .,a.key' '--tls a.key,a.key' '--tls a.key,a.pem' '--tls self --tls b.key,b.pem' '--tls a.pem,a.pem' '--tls a.pem,b.key' \
  '--tls a.pem,a.key --tls b.pem,a.key' '--tls a.pem,locked.key' '--tls self --tls self' \
  '--tls-client-ca ca.pem' '--tls-any-name' '--tls self --tls-client-optional' \
  '--tls self --tls-client-ca a.key' '--tls self --tls-client-ca nothing'; do
  echo "serve $words"
  status coho serve --listen wss://localhost:0 $words 2>&1
done
for words in '--tls self' '--tls self --listen ws://127.0.0.1:0' '--tls-client-ca ca.pem'; do
  echo "serve --demo $words"
  status coho serve --demo $words 2>&1
done
for words in '--cacert nothing' '--cacert a.key' '--cert a.pem' '--key a.key' '--cert a.pem --key b.key' \
  '--cert a.pem --key nothing' '-k --cacert ca.pem' "--tls-name="; do
  echo "connect $words"
  status coho connect wss://127.0.0.1:1/ $words 2>&1
done
for words in -k '--cacert ca.pem' '--cert a.pem' '--key a.key' '--tls-name localhost'; do
  echo "connect ws: $words"
  status coho connect ws://127.0.0.1:1/ $words 2>&1
done
echo 'serve with a blank'
status coho serve --listen wss://localhost:0 --tls 'a.pem, a.key' 2>&1
