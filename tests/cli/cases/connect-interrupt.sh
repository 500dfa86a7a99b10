# Ctrl-C closes with 1000; again, or when the peer does not answer, it ends at once.
mkfifo input said
exec 4<>input

# interrupted PATH SIGNAL: starts to talk and is interrupted when connected.
interrupted() {
  "$COHO" connect "$url/$1" <&4 2>said &
  client=$!
  exec 5<said
  read -r line <&5
  echo "$line" | plain
  kill -s "$2" "$client"
}

serve --demo
for signal in INT TERM; do
  interrupted echo "$signal"
  cat <&5
  status wait "$client"
done
peer
interrupted deaf INT
cat <&5
status wait "$client"
"$COHO" connect "$url/mute" <&4 &
client=$!
read -r _ <&3 # the client is there
kill -s INT "$client"
status wait "$client"
