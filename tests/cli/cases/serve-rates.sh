# --rate: a peer above it is read more slowly, or closed with --rate-close.
text='\x81\x80\0\0\0\0'
ping='\x89\x80\0\0\0\0'
serve --rate messages=1/2 --rate-close
raw upgrade:/echo "times:3:$text"
stop
serve --rate frames=1/2 --rate-close
raw upgrade:/echo "times:3:$ping"
stop
serve --rate bytes=1/1k --rate-close
raw upgrade:/echo "times:200:$text" | sort | uniq -c | grep -E 'close|end' | sed 's/^ *//'
stop
serve --rate messages=50/1 --rate frames=100/1 --rate bytes=1k/100
for i in 1 2 3 4 5 6 7 8 9; do echo "line $i"; done | coho connect "$url/echo" -q
stop
serve --rate handshakes=1
until raw upgrade:/echo '\x88\x80\0\0\0\0' | grep '429 Too Many Requests' >refused; do :; done
echo 'too many handshakes'
raw 'GET /healthz HTTP/1.0\r\n\r\n'
stop
