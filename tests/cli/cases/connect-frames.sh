# Pings and pongs of the peer are told with -v, and only then.
peer
coho connect "$url/ping"
coho connect "$url/ping" -v
coho connect "$url/pong"
coho connect "$url/pong" -v
coho connect "$url/fragments"
