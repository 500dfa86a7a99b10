# Each line is a message, the last one also without its end; what comes back is exact.
serve --demo
printf 'one\n\ntwo\r\nw\303\266rld \342\230\203\nlast' | coho connect "$url/echo" | od -An -c
printf '' | status coho connect "$url/echo"
printf 'a\0b\n' | coho connect "$url/echo" -q | od -An -c
