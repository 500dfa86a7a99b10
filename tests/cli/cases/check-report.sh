# Results for programs, and a page for people.
launch python3 "$TESTS/../check/server.py" --break close-one-byte
status coho check "$url" -f 7.3.1 -f 7.3.2 -f 7.13.1 -f protocol.known --json --report page.html >results
tail -n 1 results
python3 - "$url" <<'END'
import html.parser
import json
import re
import sys

document = json.loads(open("results", encoding="utf-8").read().rpartition("exit")[0])
print({name: type(value).__name__ for name, value in document.items()})
print(document["url"] == sys.argv[1] + "/", document["role"], document["agent"], document["full"], document["summary"])
for case in document["cases"]:
    sent, received = (case[way] and re.fullmatch("([0-9a-f]{2})+", case[way]) is not None for way in ("sent", "received"))
    print(case["id"], case["verdict"], case["rule"], case["reason"], sent, received, case["sent_bytes"] > 0, sep=" | ")

page = open("page.html", encoding="utf-8").read()
void, opened = {"meta", "link", "input", "br"}, []


class Page(html.parser.HTMLParser):
    """Each tag is closed in its turn."""
    def handle_starttag(self, tag, attrs):
        opened.extend([tag] if tag not in void else [])
        print(*(value for name, value in attrs if name == "id" and value.startswith("case-")), sep="\n", end="")
        if any(name in ("src", "onclick") or str(value).startswith("javascript") for name, value in attrs):
            print("what runs or loads:", tag)

    def handle_endtag(self, tag):
        if opened.pop() != tag:
            print("not closed:", tag)


Page().feed(page)
print("", opened, "script" in page, "Expected Close 1002" in page, sep="\n")
END
stop
# A page that cannot be written is known before the cases run.
serve --demo
status coho check "$url/echo" -f 1 --report nowhere/page.html 2>&1
