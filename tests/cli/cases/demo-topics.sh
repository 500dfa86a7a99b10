# What visitors say and what the server says are two hubs; --max-message is a matter of /echo alone.
serve --demo --max-message 50
coho sub "$url/live/" stocks --since 0 --count 1 -q | grep -o '"symbol"' | wc -l
coho sub "$url/live/" stats --since 0 --count 1 -q | grep -c '"uptime_s"'
coho sub "$url/live/" stocks/COHO --since 0 --count 1 -q | grep -o '"name":"[^"]*"'
http POST /live/stats | head -n 1
printf '%0100d' 0 | coho pub "$url/t/chat/lobby" -q
coho sub "$url/t/chat/lobby" --since 0 --count 1 -q | wc -c
http GET /live/chat/lobby/history | head -n 1
for path in /chat /stocks /stats; do http GET "$path" | head -n 1; done
