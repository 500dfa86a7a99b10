# Each NAME of --timeout has its effect: raw.py waits less long than any of them is by default.
for what in head body idle message ping silence; do
  echo "$what"
  serve --timeout pong=0.1 --timeout "$what=0.1"
  case $what in
  head) raw 'GET /healthz HT' ;;
  body) raw 'GET /healthz HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n0123' ;;
  idle) raw 'GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n' ;;
  message) raw upgrade:/echo '\x81\x82\0\0\0\0x' ;;
  ping | silence) raw upgrade:/echo ;;
  esac
  stop
done
echo tls
secure --tls self --timeout tls=0.1
raw
stop
for what in close stop; do
  echo "$what"
  serve --timeout close=60 --timeout stop=60 --timeout "$what=0.1"
  : >told
  raw upgrade:/echo >told &
  client=$!
  until grep -q 101 told; do :; done
  stop
  wait "$client"
  cat told
done
echo write
serve --timeout write=0.1
raw upgrade:/echo "times:200000:\x82\xfd\0\0\0\0$(printf '%0125d' 0)" deaf
stop
echo reply
head -c 100000000 /dev/zero >large
serve --root . --timeout reply=0.1
raw 'GET /large HTTP/1.1\r\nHost: a\r\n\r\n' deaf
stop
echo never
serve --timeout head=never --timeout body=never --timeout idle=never --timeout reply=never --timeout message=never \
  --timeout ping=never --timeout pong=never --timeout write=never --timeout close=never --timeout stop=never
coho connect "$url/echo" -q -x hello
stop
secure --tls self --timeout tls=never
coho connect "$url/echo" -k -q -x hello
stop
