# Several loops serve on the same port.
serve --demo --threads 3
for i in 1 2 3 4 5 6; do "$COHO" connect "$url/echo" -q -x "hello $i" --linger 0.5 & done | sort
stop
