"""jwt.py KEY CLAIMS [HEADER]: prints a JWT; KEY is the file of a secret (HS256) or of an RSA key in PEM (RS256).
jwt.py --jwk KEY [MEMBERS]: prints a key set with the public half of this RSA key."""
import base64
import hashlib
import hmac
import json
import pathlib
import subprocess
import sys


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def openssl(*arguments, data=b""):
    return subprocess.run(["openssl", *arguments], input=data, capture_output=True, check=True).stdout


def jwk(key, members="{}"):
    modulus = openssl("rsa", "-in", key, "-noout", "-modulus").decode().strip().partition("=")[2]
    public = {"kty": "RSA", "e": "AQAB", "n": base64url(bytes.fromhex(modulus))}
    print(json.dumps({"keys": [public | json.loads(members)]}))


def token(key, claims, header="{}"):
    secret = pathlib.Path(key).read_bytes()
    rsa = secret.startswith(b"-----BEGIN")
    head = {"alg": "RS256" if rsa else "HS256", "typ": "JWT"} | json.loads(header)
    text = base64url(json.dumps(head).encode()) + "." + base64url(claims.encode())
    if rsa:
        signature = openssl("dgst", "-sha256", "-sign", key, data=text.encode())
    else:
        signature = hmac.digest(secret.rstrip(b"\n"), text.encode(), hashlib.sha256)
    print(f"{text}.{base64url(signature)}")


if sys.argv[1] == "--jwk":
    jwk(*sys.argv[2:])
else:
    token(*sys.argv[1:])
