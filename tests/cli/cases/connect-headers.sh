# What the handshake says.
peer
coho connect "$url/head?a=b%20c"
coho connect "$url/head" -H 'Authorization: Bearer x' --header 'X-Empty:' -H 'Cookie: a=1; b=2' \
  --origin https://example.org --protocol chat.v2,chat -p superchat
status coho connect "$url/head" -H 'Host: other.example'
status coho connect "$url/head" -H 'Origin: a' --origin b
status coho connect "$url/head" -H 'Sec-WebSocket-Key: x'
