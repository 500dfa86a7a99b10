# Each NAME of --limit has its effect.
request='GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n'
for limit in connections=1 per-address=1; do
  echo "$limit"
  serve --limit "$limit"
  hold
  raw
  release
  stop
done
echo 'frame=10'
serve --limit frame=10
status coho connect "$url/echo" -q -x short --deflate off 2>&1
status coho connect "$url/echo" -q -x 'longer than ten' --deflate off 2>&1
stop
echo 'fragments=2'
serve --limit fragments=2
raw upgrade:/echo '\x01\x80\0\0\0\0\x80\x80\0\0\0\0\x01\x80\0\0\0\0\x00\x80\0\0\0\0\x00\x80\0\0\0\0'
stop
echo 'queue=1k'
serve --limit queue=1k
printf '%01000d\n%02000d\n%01001d\n' 1 2 3 | status coho connect "$url/echo" -q --deflate off 2>&1 | sed 's/^0*1$/the first/'
stop
echo 'head=1k fields=3 body=10'
serve --limit head=1k --limit fields=3 --limit body=10
raw "$request\r\n"
raw "${request}A: $(printf '%02000d' 0)\r\n\r\n"
raw "${request}A: 1\r\n\r\n"
raw "${request}A: 1\r\nB: 2\r\n\r\n"
raw "GET /healthz HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n0123456789" 'GET / HTTP/1.0\r\n\r\n'
raw "GET /healthz HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\n0123456789"
stop
echo 'memory=1M'
serve --limit memory=1M --max-message 10M
coho connect "$url/echo" -q -x 'small ones go'
head -c 5000000 /dev/zero | tr '\0' x | status coho connect "$url/echo" -q --deflate off 2>&1
coho connect "$url/echo" -q -x 'and still do'
stop
echo 'contexts=1'
for limit in contexts=1G contexts=1; do
  serve --deflate own --limit "$limit"
  coho connect "$url/echo" -v --deflate own -x hello 2>&1 | grep extensions
  stop
done
