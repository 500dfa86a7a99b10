# Behind proxies: whom the access log says that a request is from.
serve --access-log --proxy-protocol 127.0.0.0/8 --trust-proxy 10.0.0.0/8
raw 'PROXY TCP4 192.0.2.1 192.0.2.2 4711 80\r\nGET /healthz HTTP/1.1\r\nHost: h\r\nX-Forwarded-For: 192.0.2.9\r\nConnection: close\r\n\r\n'
raw 'PROXY TCP4 10.1.1.1 192.0.2.2 4711 80\r\nGET /healthz HTTP/1.1\r\nHost: h\r\nX-Forwarded-For: 192.0.2.3\r\nConnection: close\r\n\r\n'
raw 'GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n'
stop
serve --access-log --proxy-protocol 10.0.0.0/8 -v
raw 'PROXY TCP4 192.0.2.1 192.0.2.2 4711 80\r\n'
stop
sed 's/ [0-9]* [0-9]*ms$//; s/^[^ ]*Z //; s/127.0.0.1:[0-9]*/127.0.0.1:PORT/' served

status coho serve --demo --proxy-protocol 10.0.0.1/8
status coho serve --demo --trust-proxy proxy.example
