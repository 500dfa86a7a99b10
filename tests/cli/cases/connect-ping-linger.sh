# Pings of our own, also when one is due just when the silence is over, do not put off the end.
serve --demo
echo hi | timeout 20 "$COHO" connect "$url/echo" -q --ping 0.2 --linger 1
