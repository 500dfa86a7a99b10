# A certificate that nobody vouches for, and one of an authority. In the words of coho connect.
authority ca
authority other
certificate server ca DNS:localhost
secure --demo --tls server.pem,server.key
status coho check "$url/echo" -f 2 2>&1 | plain
status coho check "$url/echo" -f 2 --cacert other.pem 2>&1 | plain
status coho check "$url/echo" -f 2 --cacert ca.pem
status coho check "$url/echo" -f 2 --insecure
status coho check "$url/echo" -f 2 --cacert nowhere.pem 2>&1 | plain
status coho check "$url/echo" -f 2 --cacert server.key 2>&1 | plain
status coho check "wss://127.0.0.1${url#wss://localhost}/echo" -f 2 --cacert ca.pem 2>&1 | plain
secure --demo --tls self
status coho check "$url/echo" -f 2 2>&1 | plain
# Without TLS there.
serve --demo
status coho check "wss://${url#ws://}/echo" -f 2 2>&1 | plain
