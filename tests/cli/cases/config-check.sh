# --check-config tells all that is wrong with a file, each with its place, and starts nothing.
# wrong NAME LINES: a file of these lines.
check() { status coho serve --config "$1" --check-config 2>&1; }
wrong() {
  printf "$1" >file.yaml
  printf '%s\n' "$1"
  check file.yaml
}
cat >all.yaml <<'END'
listen: ftp://x
demo: yes
threads: 0
limt: {connections: 1}
limit:
  conections: 5
  head: 64k
rate: {messages: 0/5}
timeout: [head=soon, x]
origin: [example.org, https://a.example]
root: ./nowhere
verbose: twice
config: other.yaml
listen: ws://127.0.0.1:80
max-message: [1]
deflate: {mode: own}
tls-client-ca: x.pem
access-log-format: xml
END
check all.yaml
wrong 'demo: True\n'
wrong 'demo:\n'
wrong 'demo: true\nlimit:\n'
wrong 'topics:\n  - pattern: #\n'
wrong 'demo: true\nthreads: 1_0\n'
wrong 'demo: true\nthreads: 257\n'
wrong 'demo: true\nthreads: [1\n'
wrong 'demo: true\n\tthreads: 1\n'
wrong 'demo: true\n  threads: 1\n'
wrong 'demo: true # \303\251\377\n'
wrong 'demo: "\001"\n'
wrong 'root: "a\\0b"\n'
wrong '"de\\emo": true\n'
wrong 'listen: &a ws://127.0.0.1:0\norigin: *a\n'
wrong 'demo: !!bool true\n'
wrong 'demo: true\n---\ndemo: true\n'
wrong 'demo: true\n<<: {threads: 2}\n'
wrong '? [demo]\n: true\n'
wrong 'demo\n'
wrong '[demo]\n'
wrong 'demo: false\n'
wrong 'listen: wss://127.0.0.1:0\n'
wrong 'listen: wss://127.0.0.1:0\ntls: none.pem,none.key\n'
wrong 'demo: true\naccess-log-file: log\n'
wrong 'demo: true\nrate-close: true\n'
wrong 'demo: [[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]\n'
python3 -c 'for i in range(60): print(f"key{i:02}: 1")' >many.yaml
check many.yaml | tail -3
python3 -c 'for i in range(2000): print(f"key{i:04}: 1")' >keys.yaml
check keys.yaml
