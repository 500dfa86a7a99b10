# -v tells what a peer did wrong, on standard error.
serve --demo -v --max-message 10
echo 'longer than ten' | status coho connect "$url/echo" -q 2>/dev/null
stop
grep -c COHO_EFRAMETOOBIG served
