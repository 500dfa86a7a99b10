# Names of files in the configuration count from its folder, wherever the program was started.
mkdir -p etc/www etc/keys run
authority ca
certificate site ca DNS:localhost
mv site.pem site.key etc/keys
echo 0123456789abcdef0123456789abcdef >etc/keys/secret
echo 0123456789abcdef >etc/keys/admin
cp ca.pem etc/keys/ca.pem
echo hello >etc/www/hello.txt
cat >etc/coho.yaml <<'END'
listen: [ws://127.0.0.1:0, wss://localhost:0]
root: www
tls: keys/site.pem,keys/site.key
tls-client-ca: keys/ca.pem
tls-client-optional: true
admin: ws://127.0.0.1:0
admin-token: keys/admin
access-log: true
access-log-file: log
auth:
  issuers: [{secret-file: keys/secret}]
END
cd run
launch "$COHO" serve --config ../etc/coho.yaml
http GET /hello.txt
stop
cd ..
ls etc run
status coho serve --config etc/coho.yaml --root etc/www --check-config
status coho serve --config etc/coho.yaml --root www --check-config 2>&1
cat >etc/wrong.yaml <<END
listen: wss://localhost:0
root: nowhere
tls: none.pem,$PWD/etc/keys/site.key
access-log: true
access-log-file: $PWD/log
auth:
  issuers:
    - {secret-file: secret}
    - {issuer: a, jwks: https://127.0.0.1:1/keys}
END
status coho serve --config etc/wrong.yaml --check-config 2>&1 | sed "s|$PWD|FOLDER|"
printf 'listen: wss://localhost:0\ntls: self\n' >etc/self.yaml
status coho serve --config etc/self.yaml --check-config
