# A refusal is told with its own first line, when that is text and came with the head; of JSON its text.
peer
for what in plain web bell long part more empty chunks packed json object torn; do
  echo "$what"
  status coho connect "$url/explain/$what" 2>&1 | plain
done
secure --demo --tls self
status coho connect "ws://${url#wss://}/echo" 2>&1 | plain
stop
