"""request.py URL METHOD PATH [FIELD...]: sends one HTTP request and prints status, type and body."""
import http.client
import sys
import urllib.parse

url, method, path, *fields = sys.argv[1:]
connection = http.client.HTTPConnection(urllib.parse.urlsplit(url).netloc, timeout=20)
connection.request(method, path, headers=dict(field.split(": ", 1) for field in fields))
answer = connection.getresponse()
print(answer.status, answer.getheader("Content-Type"))
print(answer.read().decode().rstrip("\n"))
