# What is wrong with the sections topics and auth, each with its place.
check() { status coho serve --config "$1" --check-config 2>&1; }
wrong() {
  printf "$1" >file.yaml
  printf '%s\n' "$1"
  check file.yaml
}
echo 0123456789abcdef0123456789abcdef >secret
echo short >short
echo '{"keys":[]}' >none.json
echo 'no key' >key.pem
cat >all.yaml <<'END'
topics:
  - pattern: a/#/b
    slow: fast
    interval: 0
    history-count: 0
    history-bytes: x
    max-subscribers: -1
  - {slow: block}
  - {pattern: x, polcy: block}
topics-path: t
auth:
  issuers:
    - {issuer: https://a.example}
    - {issuer: https://b.example, secret-file: secret, jwks: none.json}
    - {secret-file: short}
    - {secret-file: nowhere}
    - {jwks: none.json}
    - {public-key: key.pem}
    - {jwks: https://c.example/keys}
    - {issuer: https://d.example, jwks: http://d.example/keys}
    - {issuer: https://e.example, jwks: https://e.example/keys}
    - {issuer: https://e.example, secret-file: secret}
  audience: chat
  cookie: a b
  open-subscribe: [a//b, +/#, ok]
  open-publish: ['#/x']
END
check all.yaml
wrong 'auth: {}\n'
wrong 'auth: {issuers: []}\n'
wrong 'auth: {open-subscribe: ["#"]}\n'
wrong 'auth:\n'
wrong 'auth: true\n'
wrong 'auth: {issuer: x}\n'
wrong 'demo: true\nauth: {issuers: [{secret-file: secret}]}\n'
wrong 'demo: true\ntopics: []\n'
wrong 'topics: true\n'
wrong 'topics-path: /x/\nlisten: ws://127.0.0.1:0\n'
wrong 'topics: []\n'
wrong 'auth: {issuers: [{secret-file: secret}]}\n'
