# A line of some megabytes is one message.
serve --demo --max-message 8M
head -c 6000000 /dev/zero | tr '\0' y >line
coho connect "$url/echo" -q <line >back
wc -c <back
head -c 6000000 back | cmp - line
