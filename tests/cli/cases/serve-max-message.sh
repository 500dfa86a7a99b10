# A larger message than --max-message closes with 1009.
serve --demo --max-message 1k
head -c 1024 /dev/zero | tr '\0' x | coho connect "$url/echo" | wc -c
head -c 1025 /dev/zero | tr '\0' x | status coho connect "$url/echo"
