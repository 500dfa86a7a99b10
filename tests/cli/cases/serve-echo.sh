# Without the demo there is only what was asked for.
mkdir site
echo '<title>mine</title>' >site/index.html
echo hidden >site/.secret
serve --root site
http GET /
http GET /.secret | sed -n 1p
http GET /../lib.sh | sed -n 1p
echo hello | coho connect "$url/echo" -q
status coho connect "$url/chat" </dev/null
