# How the peer closed, in words, and what that means for the exit status.
peer
for what in code/1000 code/1001/restart nocode code/1008/go_away code/1011 code/1013 code/3000 code/3500 \
  code/4000/bye code/4401 code/4408/behind code/4429 bell; do
  status coho connect "$url/$what"
done
status coho connect "$url/code/1008/go_away" --quiet
status coho connect "$url/code/1001" --quiet
