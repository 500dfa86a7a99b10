# Binary in a pipe is what it is; with --hex it is a line of digits.
peer
coho connect "$url/binary" | od -An -tx1
coho connect "$url/binary" --hex -q
serve --demo
printf 'caf\351\nz' | coho connect "$url/echo" --binary -q | od -An -c
printf '00 01\tff\n\n0xdead-beef\n' | coho connect "$url/echo" --hex -q
printf '00\n0\n11\n' | status coho connect "$url/echo" --hex -q
