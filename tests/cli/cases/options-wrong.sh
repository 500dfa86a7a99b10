# Each mistake gets a sentence that says what to type, and exit status 2.
for words in '--nope' '--heade x:y' '--heex' '-z' '--ping' '--ping=often' '--ping 0.001' '--linger -1' '--linger=1e10' \
  '--max-message 0' '--max-message 1q' '--max-message 99999999999999999999' '--connect-timeout 0' \
  '--quiet=yes' '-qz' '--header Name' '-HBad\ name:x' '--protocol a,,b' '--protocol a,b,a' \
  '--hex -x abc' '--hex -x zz'; do
  echo "connect $words" | tr -d '\\'
  eval "status coho connect $words ws://127.0.0.1:1/" 2>&1
done
for words in '' 'a b' 'ftp://a/' 'ws://' 'ws://a:70000/' 'ws://a/#part' \
  'ws://user@a/' 'ws://1.2.3/'; do
  echo "connect $words"
  eval "status coho connect ${words:+$(echo "'$words'" | sed "s/^'a b'$/a b/")}" 2>&1
done
for words in '' '--demo here' '--demo --threads 0' '--demo --threads 257' '--demo --threads x' \
  '--demo --max-message 0' '--demo --demo=1' '--root' '--demo --listen ftp://x' \
  '--demo --listen ws://127.0.0.1:99999' '--demo --listen ws://127.0.0.1:0/?a' "--demo --origin ''" \
  '--demo --origin example.org' '--demo --origin https://example.org/' '--demo --origin https://' \
  '--demo --orgin https://example.org' '--deno' '--xy'; do
  echo "serve $words"
  eval "status coho serve $words" 2>&1
done
