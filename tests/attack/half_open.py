"""Attack 44: peers that vanish without a word, as after a loss of power: the network drops what they and coho send.

Runs itself in a network of its own, which every user may make where the kernel lets them.
"""
import subprocess
import sys

from attack import PATIENCE, Skip, attack, same, true
from peer import BINARY, PING, TEXT, frame
from victim import server, stop_all

MANY = 20
NAMESPACE = ("unshare", "--user", "--map-root-user", "--net", "--")


def vanish(*peers):
    """From now on nothing from or to them arrives."""
    ports = ", ".join(str(peer.sock.getsockname()[1]) for peer in peers)
    rules = f"""table ip gone {{
      chain in {{ type filter hook input priority 0; tcp sport {{ {ports} }} drop; tcp dport {{ {ports} }} drop; }}
    }}"""
    subprocess.run(["nft", "-f", "-"], input=rules.encode(), check=True, timeout=PATIENCE)


def appear():
    subprocess.run(["nft", "delete", "table", "ip", "gone"], check=True, timeout=PATIENCE)


def idle():
    """Noticed by pings."""
    with server(ping_ms=300, pong_ms=300).bounded(memory_kb=1024, cpu_ms=200) as victim:
        victim.made += [victim.talker() for _ in range(MANY)]
        vanish(*victim.made)
        victim.quiet(1)
        appear()


def owed():
    """Noticed because what is sent makes no progress."""
    with server(ping_ms=60000, write_ms=400, secure=1).bounded(memory_kb=MANY * 1280, cpu_ms=800) as victim:
        victim.made += [victim.talker(narrow=True, secure=at % 4 == 0) for at in range(MANY)]
        for peer in victim.made:
            peer.sock.settimeout(0.2)
            try:
                while peer.send(frame(BINARY, bytes(1 << 20), key=b"\0\0\0\0")):
                    pass
            except TimeoutError:
                pass
        vanish(*victim.made)
        victim.quiet(1)
        appear()


def back():
    """Gone for less than the deadline: as if nothing had been."""
    victim = server(ping_ms=500, pong_ms=PATIENCE * 1000)
    peer = victim.talker()
    vanish(peer)
    peer.send(frame(TEXT, b"lost once"))
    peer.sock.settimeout(0.7)
    try:
        peer.more()
        raise AssertionError("it did not vanish")
    except AssertionError as error:
        true("nothing came" in str(error), str(error))
    appear()
    peer.sock.settimeout(PATIENCE)
    got = peer.frame()
    while got and got[0] == PING:
        got = peer.frame()
    same(got, (TEXT, b"lost once", 0))
    peer.close()


def half():
    """Connections whose last step of TCP's own handshake is lost, and requests that are cut."""
    with server(head_ms=400).bounded(memory_kb=1024, cpu_ms=200) as victim:
        victim.made += [victim.ask(b"GET / HT") for _ in range(MANY)]
        vanish(*victim.made)
        victim.quiet(1)
        appear()


def inside(name):
    """Runs the function of this name in a network that is this process's own."""
    done = subprocess.run([*NAMESPACE, sys.executable, "-B", __file__, name], capture_output=True, text=True, timeout=120, check=False)
    if "unshare" in done.stderr and done.returncode:
        raise Skip(f"no network namespace: {done.stderr.strip()}")
    true(done.returncode == 0, (done.stdout + done.stderr).strip()[-600:])


@attack(44, "20 idle peers vanish: pinged, then gone")
def idle_peers():
    inside("idle")


@attack(44, "20 peers vanish that are owed megabytes, some over TLS: gone at the deadline of writing")
def owed_peers():
    inside("owed")


@attack(44, "20 peers vanish inside a request: gone at its deadline")
def half_requests():
    inside("half")


@attack(44, "a peer is away for a moment: it is served again")
def away():
    inside("back")


def main():
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True, timeout=PATIENCE)
    try:
        try:
            {"idle": idle, "owed": owed, "half": half, "back": back}[sys.argv[1]]()
        finally:
            stop_all()
    except AssertionError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
