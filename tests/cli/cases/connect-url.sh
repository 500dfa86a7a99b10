# What people type for a URL.
serve --demo
address=${url#ws://}
for typed in "$address/echo" "http://$address/echo" "HTTP://$address/echo" "WS://$address/echo" \
  ":${address#*:}/echo" "localhost:${address#*:}/echo?next=http://x"; do
  coho connect "$typed" -x hello 2>&1 | plain
done
