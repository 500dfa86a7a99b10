"""Attacks on static files: nothing outside the folder is ever sent."""
import os
import socket

from attack import COHO, FOLDER, attack, same, true, until
from victim import Victim, server

SECRET = b"nobody may read this"


def folder():
    """A folder with what lies about in folders, a secret beside it, and ways that lead there."""
    root = FOLDER / "site"
    if root.exists():
        return root
    (root / "sub").mkdir(parents=True)
    (FOLDER / "secret").write_bytes(SECRET)
    (FOLDER / "outside").mkdir()
    (FOLDER / "outside/secret").write_bytes(SECRET)
    for name in ("index.html", "sub/page.html", "a b.txt", "100%.txt"):
        (root / name).write_bytes(b"fine\n")
    (root / ".hidden").write_bytes(SECRET)
    (root / "sub/.git").mkdir()
    (root / "sub/.git/config").write_bytes(SECRET)
    (root / "link").symlink_to(FOLDER / "secret")
    (root / "up").symlink_to("../secret")
    (root / "elsewhere").symlink_to(FOLDER / "outside")
    (root / "top").symlink_to("/")
    (root / "loop").symlink_to("loop")
    (root / "null").symlink_to("/dev/zero")
    os.mkfifo(root / "fifo")
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(str(root / "socket"))
    (root / "closed").write_bytes(SECRET)
    (root / "closed").chmod(0)
    return root


def get(victim, target, fields=""):
    """(status, head, body)"""
    data = target if isinstance(target, bytes) else target.encode("latin-1")
    peer = victim.ask(b"GET " + data + b" HTTP/1.1\r\nHost: h\r\nConnection: close\r\n" + fields.encode() + b"\r\n")
    head, _, body = peer.rest().partition(b"\r\n\r\n")
    peer.close()
    true(SECRET not in body, f"{target} gives the secret")
    true(b"root:" not in body, f"{target} gives the list of users")
    return int(head[9:12]), head.decode("latin-1"), body


UP = ("/../secret", "/../../secret", "/sub/../../secret", "/sub/../index.html", "/./index.html", "/sub/./page.html", "/..", "/.",
      "/%2e%2e/secret", "/%2E%2E/secret", "/.%2e/secret", "/%2e%2e%2fsecret", "/..%2fsecret", "/..%2Fsecret", "/sub%2f..%2f..%2fsecret",
      "/%252e%252e/secret", "/%252e%252e%252fsecret", "/..%c0%afsecret", "/%c0%ae%c0%ae/secret", "/%uff0e%uff0e/secret",
      "/..\\secret", "/..%5csecret", "/%2e%2e%5csecret", "/sub//../../secret", "//secret", "//etc/passwd", "/sub//page.html",
      "///etc/passwd", "/sub/..;/../secret", "/....//secret", "/.../secret", "/%00/../secret", "/index.html%00.png",
      "/index.html%00", "/link", "/up", "/elsewhere/secret", "/elsewhere", "/top/etc/passwd", "/loop", "/null", "/fifo", "/socket",
      "/.hidden", "/sub/.git/config", "/sub/%2egit/config", "/index.html/", "/index.html/..", "/a%20b.txt%0d%0aX:%20y",
      "/~root/.profile", "/C:/secret", "/con", "/proc/self/environ", "/sub%2fpage.html", "/" + "a" * 300, "/" + "a/" * 3000,
      "/" + "%2e%2e/" * 500 + "etc/passwd", "/" + "../" * 3000 + "etc/passwd")


@attack(48, "ways up and out: dots, escapes of escapes, backslashes, NUL, links, devices, sockets, dot files: 404 or 400")
def traversal():
    with server(root=folder()).bounded(memory_kb=512, cpu_ms=20 + len(UP)) as victim:
        for target in UP:
            status, head, _ = get(victim, target)
            true(status in (400, 404, 414), f"{target[:60]} is answered {status}")
            true(str(FOLDER) not in head, f"{target[:60]} tells where the files are")
        same(get(victim, "/sub/page.html")[2], b"fine\n")
        same(get(victim, "/a%20b.txt")[2], b"fine\n")
        same(get(victim, "/100%25.txt")[2], b"fine\n")


@attack(48, "targets that are no paths: other forms, other characters, no UTF-8")
def odd_targets():
    with server(root=folder()).bounded(memory_kb=256, cpu_ms=50) as victim:
        for target in (b"*", b"index.html", b"", b"http://", b"http:///etc/passwd", b"file:///etc/passwd", b"/\xff\xfe", b"/%",
                       b"/%2", b"/%g0", b"/a b", b"/\x01", b"/\x7f", b"http://h:99999/", b"http://u:p@h/../secret",
                       b"http://h/%2e%2e/secret", b"?", b"#", b"/../secret?x", b"/../secret#x"):
            status = get(victim, target)[0]
            true(status in (400, 404, 414, 505), f"{target} is answered {status}")


@attack(48, "huge, negative, empty, 1,000 and overlapping ranges: one part, the whole, or 416, never more than the file")
def ranges():
    with server(root=folder()).bounded(memory_kb=256, cpu_ms=50) as victim:
        for value in ("bytes=0-18446744073709551615", "bytes=18446744073709551615-", "bytes=18446744073709551616-", "bytes=-0",
                      "bytes=-18446744073709551615", "bytes=5-", "bytes=4-2", "bytes=a-b", "bytes=-", "bytes=", "lines=0-1",
                      "bytes=0-0," * 999 + "0-0", "bytes=0-,0-,0-,0-,0-", "bytes=0x0-0x1", "bytes= 0 - 1", "bytes=--1"):
            status, _, body = get(victim, "/sub/page.html", f"Range: {value}\r\n")
            true(status in (200, 206, 416, 400, 431) and len(body) <= 100, f"{value[:40]} is answered {status}, {len(body)} bytes")
            if status in (200, 206):
                true(len(body) <= 5, f"{value[:40]} gives {len(body)} bytes of 5")


@attack(48, "files are closed again: 500 downloads that are given up leave no descriptor")
def descriptors():
    (folder() / "large.bin").write_bytes(bytes(8 << 20))
    victim = server(root=folder())
    victim.quiet(0)
    before = victim.fds()
    with victim.bounded(memory_kb=2048, cpu_ms=500):
        for _ in range(500):
            peer = victim.ask(b"GET /large.bin HTTP/1.1\r\nHost: h\r\n\r\n", narrow=True)
            peer.head()
            peer.reset()
    until(lambda: victim.fds() <= before, "all descriptors are given back")


@attack(48, "the same of coho serve --root: ways out are 404, and methods other than GET, HEAD and OPTIONS 405")
def program():
    victim = Victim(COHO, "serve", "--listen", "ws://127.0.0.1:0", "--root", folder())
    try:
        for target in UP:
            true(get(victim, target)[0] in (400, 404, 414), f"{target[:60]} is found")
        for method in (b"POST", b"PUT", b"DELETE", b"TRACE", b"PATCH"):
            peer = victim.ask(method + b" /index.html HTTP/1.1\r\nHost: h\r\n\r\n")
            true(peer.head()[9:12] in ("405", "501"), f"{method} is answered")
            peer.close()
        victim.greet()
    finally:
        victim.stop()
