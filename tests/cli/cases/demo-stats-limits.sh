# --max-message is a matter of /echo: the statistics do not shrink with it.
serve --demo --max-message 50
coho connect "$url/stats" -q --linger 3 </dev/null | head -n 2 | sed -E 's/.*"type": ?"([a-z]+)".*/\1/'
