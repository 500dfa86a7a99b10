# Each mistake with --limit, --rate and --timeout gets a sentence that says what to type.
for words in '--limit nothing=1' '--limit connections' '--limit connection=1' '--limit =1' '--limit connections=0' \
  '--limit connections=4294967296' '--limit per-address=x' '--limit frame=1q' '--limit head=64k' '--limit fields=257' \
  '--limit memory=1k' '--limit contexts=0' '--rate messages' '--rate messages=0' '--rate messages=1/0' \
  '--rate messages=1/' '--rate bytes=4G' '--rate connections=1' '--rate handshakes=1/2/3' '--rate-close' \
  '--rate-close --rate handshakes=1' '--timeout head=0' '--timeout head=1e9' '--timeout head=soon' \
  '--timeout tls' '--timeout connect=1' \
  '--limit max-message=1M' '--limit memory=512MB' '--limit per-address=100,head=8k' '--limit head=255' \
  '--timeout head=Never' '--limit memory=never'; do
  echo "serve $words"
  status coho serve --demo $words 2>&1
done
echo 'serve without --demo'
status coho serve --limit mem=512M 2>&1
