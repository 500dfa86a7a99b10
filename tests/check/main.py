"""coho check against servers and clients: those of others, and our own that do one thing wrong."""
import concurrent.futures
import functools
import subprocess
import sys
import tempfile

from checking import COHO, HERE, PYTHON, build_client, check, driven, filters, results, server
from expected import ALL, CLIENTS, CLIENTS_OF_OTHERS, SERVERS, SERVERS_OF_COHO, SERVERS_OF_OTHERS
from faults import CLIENT, SERVER
from modes import MODES

OUR_SERVER = (PYTHON, "-B", HERE / "server.py")
OUR_CLIENT = (PYTHON, "-B", HERE / "client.py")
OTHER_SERVERS = {"ws": ("node", HERE / "ws_server.mjs"), "websockets": (PYTHON, HERE / "websockets_server.py")}
OTHER_CLIENTS = {"ws": ("node", HERE / "ws_client.mjs"), "websockets": (PYTHON, HERE / "websockets_client.py")}
AT_ONCE = 3  # they wait more than they compute

# ---- servers -------------------------------------------------------------------------------------


def our_server():
    with server(*OUR_SERVER) as url:
        found = results(url)
        found.compare("", "")
        results("--protocol", "chat", *filters("1.1 protocol handshake"), url).compare("", "")


def server_of_others(name):
    with server(*OTHER_SERVERS[name]) as url:
        results(url).compare(" ".join(SERVERS_OF_OTHERS[name]))


def server_of_coho(deflate):
    with server(COHO, "serve", "--demo", "--listen", "ws://127.0.0.1:0", "--deflate", deflate) as url:
        results(f"{url}echo").compare("", SERVERS_OF_COHO[deflate])


def server_of_coho_with_tls():
    with server(COHO, "serve", "--demo", "--listen", "wss://127.0.0.1:0", "--tls", "self") as url:
        results("--insecure", f"{url}echo").compare("")
        out, said, status = check(f"{url}echo")
        if status != 1 or out or "certificate" not in said:
            raise AssertionError(f"{status}: {out}{said}")


def broken_server(fault):
    expected = SERVERS[fault]
    with server(*OUR_SERVER, "--break", fault) as url:
        results(*filters(expected.cases), url).compare(expected.failed, expected.noted)


# ---- clients -------------------------------------------------------------------------------------


def our_client():
    found, told = driven(OUR_CLIENT, ALL)
    several = "handshake.key-fresh flood.promises"  # for which a driver is asked once
    found.compare("", several)
    verdicts = [case["verdict"] for case in found.cases]
    words = {"passed": "OK", "informational": "INFORMATIONAL", "unimplemented": "UNIMPLEMENTED"}
    if sorted(told) != sorted(words[verdict] for verdict in verdicts):
        raise AssertionError("the client was told something else")


def our_client_without_offer():
    found, _ = driven((*OUR_CLIENT, "--offer", ""), "1.1 12.1.1 handshake.deflate-foreign")
    found.compare("", "12.1.1")
    if "handshake.deflate-foreign" not in found.those("passed"):
        raise AssertionError("handshake.deflate-foreign did not pass")


def our_client_with_a_plain_offer():
    cases = "1.1 12.1.1 13.3.1 handshake.deflate-bits-foreign"
    found, _ = driven((*OUR_CLIENT, "--offer", "permessage-deflate"), cases)
    found.compare("", "13.3.1")
    if "handshake.deflate-bits-foreign" not in found.those("passed"):
        raise AssertionError("handshake.deflate-bits-foreign did not pass")


def client_of_others(name):
    found, _ = driven(OTHER_CLIENTS[name], ALL)
    found.compare(" ".join(CLIENTS_OF_OTHERS[name]))


def client_of_others_run(name):
    cases = "1.1 2 5.3 5.9 6.3 7.3 7.9 13.3.3 handshake.key-fresh flood.promises"
    results("--client", *filters(cases), "--", *OTHER_CLIENTS[name]).compare("")


def client_of_coho():
    with tempfile.TemporaryDirectory() as folder:
        program = build_client(folder)
        driven([program], ALL)[0].compare("")
        results("--client", *filters("1 2 5 7 handshake.key-fresh flood.promises"), "--", program).compare("")
        results("--client", "--listen", "wss://127.0.0.1:0", *filters("1 2 5 7 12.1"), "--", program).compare("")


def broken_client(fault):
    expected = CLIENTS[fault]
    found, _ = driven((*OUR_CLIENT, "--break", fault), expected.cases)
    found.compare(expected.failed, f"{expected.noted} handshake.key-fresh flood.promises")


def broken_client_run():
    """Where one connection does not tell."""
    found = results("--client", *filters("1.1 handshake"), "--", *OUR_CLIENT, "--break", "key-constant")
    found.compare("handshake.key-fresh", "")


def all_faults_are_expected():
    for faults, table in ((SERVER, SERVERS), (CLIENT, CLIENTS)):
        missing = set(faults) - set(table) - {"key-constant"}
        if missing or set(table) - set(faults):
            raise AssertionError(f"expected.py and faults.py differ: {missing or set(table) - set(faults)}")


# ---- running them --------------------------------------------------------------------------------


def tests():
    yield "every fault has what is expected of it", all_faults_are_expected
    yield "server: ours", our_server
    for deflate in SERVERS_OF_COHO:
        yield f"server: coho, --deflate {deflate}", functools.partial(server_of_coho, deflate)
    yield "server: coho with TLS", server_of_coho_with_tls
    for name in OTHER_SERVERS:
        yield f"server: {name}", functools.partial(server_of_others, name)
    for fault in SERVERS:
        yield f"broken server: {fault}, {SERVER[fault]}", functools.partial(broken_server, fault)
    yield "client: ours", our_client
    yield "client: ours, which offers nothing", our_client_without_offer
    yield "client: ours, which offers no window", our_client_with_a_plain_offer
    yield "client: coho", client_of_coho
    for name in OTHER_CLIENTS:
        yield f"client: {name}", functools.partial(client_of_others, name)
        yield f"client: {name}, run for each case", functools.partial(client_of_others_run, name)
    for fault in CLIENTS:
        yield f"broken client: {fault}, {CLIENT[fault]}", functools.partial(broken_client, fault)
    yield f"broken client: key-constant, {CLIENT['key-constant']}", broken_client_run
    yield from MODES


def outcome(test):
    try:
        test()
    except (AssertionError, subprocess.SubprocessError, OSError, ValueError, KeyError, TypeError) as error:
        return str(error) if isinstance(error, AssertionError) else f"{type(error).__name__}: {error}"
    return None


def main():
    words = sys.argv[1:]
    picked = [(name, test) for name, test in tests() if not words or any(word in name for word in words)]
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        for (name, _), why in zip(picked, pool.map(lambda pair: outcome(pair[1]), picked)):
            print(f"FAIL {name}\n     {why}" if why else f"ok   {name}", flush=True)
            failed += bool(why)
    print(f"{len(picked) - failed} passed, {failed} failed")
    sys.exit(1 if failed or not picked else 0)


main()
