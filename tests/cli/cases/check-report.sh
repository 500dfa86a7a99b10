# Results for programs, and a page for people.
launch python3 "$TESTS/../check/server.py" --break close-one-byte --break key-missing
status coho check "$url" -f 7.3.1 -f 7.3.2 -f 7.13.1 -f protocol.known -f handshake.key-missing \
  -f handshake.cookie --json --report page.html >results
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
marks = []


class Page(html.parser.HTMLParser):
    """Each tag is closed in its turn."""
    def handle_starttag(self, tag, attrs):
        opened.extend([tag] if tag not in void else [])
        marks.extend([tag] if tag in ("form", "table") else [])
        marks.extend(dict(attrs)["id"] for name, _ in attrs if name == "checked")
        print(*(value for name, value in attrs if name == "id" and value.startswith("case-")), sep="\n", end="")
        if any(name in ("src", "onclick") or str(value).startswith("javascript") for name, value in attrs):
            print("what runs or loads:", tag)

    def handle_endtag(self, tag):
        if opened.pop() != tag:
            print("not closed:", tag)


Page().feed(page)
print("", opened, "script" in page, "Expected Close 1002" in page, sep="\n")
# What is to be looked at is chosen, above the table; each verdict is explained.
print(marks, re.findall('<dt class="verdict">([^<]*)', page))
# Who is not at home in bytes reads the heads, with the ends of their lines, and of other bytes the text.
text = re.sub("<[^>]*>", "", page)
case = text[text.index("handshake.key-missing request"):]
print(re.sub(r"\d+(?= ms|\\r)", "N", case[:case.index(" Switching")]))
print(r"Cookie: a=ccc" in text, "c" * 4084 in text, re.findall("the first .* bytes", text))
print(re.search("03 e8 .*·", text) is not None)
END
stop
# A page that cannot be written is known before the cases run.
serve --demo
status coho check "$url/echo" -f 1 --report nowhere/page.html 2>&1
# With nothing to look at all cases are shown; who waits at the terminal is told where.
status coho check "$url/echo" -f 2 --report page.html 2>&1
grep -o 'id="show-[a-z]*" checked' page.html
