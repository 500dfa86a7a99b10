# -x sends instead of the input, in order, and exits.
serve --demo
echo 'not read' | coho connect "$url/echo" -x one -xtwo --execute='three four' -x ''
coho connect "$url/echo" -b -x abc | od -An -c
coho connect "$url/echo" --hex -x 'de ad' -x 0xBE:ef
