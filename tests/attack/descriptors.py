"""Attacks on file descriptors: when none is left, nobody spins, and those who are in are served."""
import resource
import select

from attack import attack, same, true, until
from peer import TEXT, frame, request
from victim import Victim, build

FEW = 64


def few():
    resource.setrlimit(resource.RLIMIT_NOFILE, (FEW, FEW))


@attack(45, "200 connections where 64 descriptors are: those who are in are served, the loop does not spin, afterwards all is well")
def no_descriptors():
    # More connections are allowed than there are descriptors, so that accept(2) is what fails.
    victim = Victim(build("server"), "connections=1000", before=few)
    try:
        flood(victim)
    finally:
        victim.stop()


def flood(victim):
    good = victim.talker()
    peers = [victim.ask(request()) for _ in range(200)]
    opened = [peer for peer in peers if select.select([peer.sock], [], [], 0.05)[0]][:FEW]
    begun = victim.cpu_ms()
    select.select([], [], [], 1.5)  # what a spinning loop would use up
    used = victim.cpu_ms() - begun
    true(used < 200, f"{used:.0f} ms of 1,500 were used while no descriptor was left")
    true(victim.fds() <= FEW, f"{victim.fds()} descriptors")
    true(len(opened) > FEW // 2, f"only {len(opened)} were let in")
    for peer in [good, *opened]:
        if peer is not good and peer.more() and b"101" not in peer.got[:16]:
            continue
        peer.got.clear()
        peer.send(frame(TEXT, b"still there?"))
        if peer is good:
            peer.message(TEXT, b"still there?")
    for peer in peers:
        peer.close()
    until(lambda: victim.fds() < FEW // 2, "descriptors are given back")
    good.send(frame(TEXT, b"and now?"))
    good.message(TEXT, b"and now?")
    victim.greet()
    same(victim.quiet(1)["connections"], 1)


@attack(45, "connections beyond what descriptors allow, by default: turned away before they run out")
def default_limit():
    victim = Victim(build("server"), before=few)
    try:
        found = []
        peers = []
        for _ in range(150):
            try:
                peers.append(victim.ask(request()))
            except ConnectionResetError:
                found.append("")
        for peer in peers:
            found.append(peer.head()[9:12] if peer.more() else "")
        true("503" in found and found.count("101") >= FEW // 4, f"{found.count('101')} are in, {set(found)}")
        true(victim.fds() < FEW, "no descriptor is left")
        for peer in peers:
            peer.close()
        victim.quiet(0)
        victim.greet()
        same("cannot accept" in "".join(victim.said), False, "accept(2) failed")
    finally:
        victim.stop()
