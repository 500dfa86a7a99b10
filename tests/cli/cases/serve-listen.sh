# Several listeners, IPv6 among them; each gets a line, and each answers.
launch "$COHO" serve --demo -l ws://127.0.0.1:0 --listen=ws://127.0.0.1:0 --listen 'ws://[::1]:0' 2>/dev/null
first=$url
read -r _ second <&3
read -r _ third <&3
for one in "$first" "$second" "$third"; do
  echo "$one" | plain
  echo hello | coho connect "${one%/}/echo" -q
done
stop
