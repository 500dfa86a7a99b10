# Why a hub refuses, and what to do about it.
echo 0123456789abcdef0123456789abcdef >secret
cat >coho.yaml <<'END'
listen: ws://127.0.0.1:0
auth:
  issuers: [{secret-file: secret}]
  open-subscribe: [news]
END
launch "$COHO" serve --config coho.yaml 2>>served
python3 "$TESTS/jwt.py" secret '{"exp":4102444800,"coho":{"sub":["room/+"],"pub":["room/tea"]}}' >ann
python3 "$TESTS/jwt.py" secret '{"exp":1}' >late
for command in pub sub; do
  for topic in room/tea other; do
    for token in '' '--token-file late' '--token-file ann'; do
      case $command/$topic/$token in sub/room*ann) continue ;; esac
      echo "$command $topic $token"
      if test $command = pub; then
        status coho pub "$url/t/$topic" hello -q $token 2>&1 | sed -E 's/[0-9a-z]+\.[0-9]+/E.1/' | plain
      else
        status coho sub "$url/t/$topic" -q $token 2>&1 | plain
      fi
    done
  done
done
stop
peer
for number in 401 403 404 429 503; do
  echo "$number"
  status coho pub "$url/refuse/$number/" --topic a hello 2>&1 | plain
done
status coho sub "$url/refuse/503/" a --persist --timeout 0.3 2>&1 | plain | sed -E 's/in [0-9.]+ s/in N s/'
