# Each mistake gets a sentence that says what to type, and exit status 2.
for words in '' 'a b' 'ftp://a/' 'ws://a/ --cert a --key b' '--client --cert a' 'ws://a/ --listen ws://b' \
  'ws://a/ -f nobody' 'ws://a/ -f 9.1.6' 'ws://a/ --protocol a,b' 'ws://a/ --header Name' 'ws://a/ --timeout 0' \
  'ws://a/ --within 0' 'ws://a/ --at-once 0' 'ws://a/ --at-once 65' 'ws://a/ --nope' '--client -f handshake.key-missing' \
  'ws://a/ --insecure' 'ws://a/ --cacert a' 'wss://a/ --insecure --cacert a' '--client --insecure' '--client --cacert a' \
  '--client -H A:b' '--client --protocol a' '--client ws://a/'; do
  echo "check $words"
  eval "status coho check $words" 2>&1
done
