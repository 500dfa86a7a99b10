# 0 does not wait for answers; the message is sent nevertheless. Each message begins the silence anew.
serve --demo --access-log
status coho connect "$url/echo" -x hello --linger 0 -q >/dev/null
echo hello | status coho connect "$url/echo" -q
stop
grep -c '"GET /echo" 1000' served
peer
status coho connect "$url/slowly" -q --linger 1.5 </dev/null
