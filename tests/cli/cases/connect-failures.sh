# Each failure has its sentence.
peer
for what in drop rsv latin refuse/503 refuse/404 wrongkey; do
  status coho connect "$url/$what" 2>&1 | plain
done
status coho connect "$url/mute" --connect-timeout 0.2 2>&1 | plain
status coho connect ws://127.0.0.1:1/
status coho connect "$url/bulk/2000" --max-message 1999
status coho connect "$url/bulk/2000" --max-message 2000 -q | wc -c
echo 12345 | status coho connect "$url/deaf" --max-message 4
echo 12345 | status coho connect "$url/deaf" --max-message 4 --hex
status coho connect "$url/deaf" --max-message 4 -x 12345
