# A sentence that says which line and what to do.
serve --demo
printf 'fine\ncaf\351\nnever sent\n' | coho connect "$url/echo" >/dev/null
