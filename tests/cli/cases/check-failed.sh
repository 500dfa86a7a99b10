# What is printed about a server that breaks a rule: the case, the reason and, with -v, the last bytes.
launch python3 "$TESTS/../check/server.py" --break close-one-byte
status coho check "$url" -f 7.3
status coho check "$url" -f 7.3.2 -v | sed -E 's/\.\.\. .* 0d 0a 0d 0a/HEAD/; s/88 81 .*/88 81 MASKED/'
stop
# How long is waited for one reaction, and for all cases together.
launch python3 "$TESTS/../check/server.py" --break close-none
status coho check "$url" -f 1.1.1 --timeout 1
status coho check "$url" -f 1 --at-once 1 --within 0.001 | grep -Eo 'Not run: .*|exit .*' | sort -u
stop
