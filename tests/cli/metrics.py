"""metrics.py URL [HEADER]...: gets /metrics and reads it as strictly as the format allows (Prometheus text format
0.0.4). Prints what is wrong, or the names of the families, one a line."""
import re
import sys
import urllib.request

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
NUMBER = r"[+-]?(?:\d+(?:\.\d*)?(?:[eE][+-]?\d+)?|Inf|NaN)"
LABEL = r'[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\["\\n])*"'
SAMPLE = re.compile(rf"({NAME})(?:\{{({LABEL}(?:,{LABEL})*)\}})? ({NUMBER})")
HEAD = re.compile(rf"# (HELP|TYPE) ({NAME}) (.+)")
TYPES = {"counter", "gauge", "histogram", "summary", "untyped"}


class Family:
    def __init__(self, name, text):
        self.name, self.help, self.type, self.samples = name, text, None, {}

    def owns(self, sample):
        suffixes = ("_bucket", "_sum", "_count") if self.type == "histogram" else ("",)
        return any(sample == self.name + suffix for suffix in suffixes)


def problem(condition, text):
    if condition:
        sys.exit(f"wrong: {text}")


def read_head(families, line):
    match = HEAD.fullmatch(line)
    problem(not match, f"a comment that is none: {line}")
    kind, name, text = match.groups()
    if kind == "HELP":
        problem(any(f.name == name for f in families), f"{name} comes twice")
        families.append(Family(name, text))
        return
    problem(not families or families[-1].name != name or families[-1].type, f"TYPE of {name} is out of place")
    problem(text not in TYPES, f"{name} is of no type: {text}")
    families[-1].type = text


def read_sample(families, line):
    match = SAMPLE.fullmatch(line)
    problem(not match, f"neither comment nor sample: {line}")
    name, labels, value = match.groups()
    problem(not families or not families[-1].type, f"{name} has no TYPE before it")
    problem(not families[-1].owns(name), f"{name} stands below {families[-1].name}")
    problem((name, labels) in families[-1].samples, f"{name}{{{labels}}} comes twice")
    families[-1].samples[name, labels] = float(value)


def check_histogram(family):
    buckets = [(float(re.fullmatch(r'le="(.*)"', labels)[1].replace("+Inf", "inf")), value)
               for (name, labels), value in family.samples.items() if name.endswith("_bucket")]
    problem(not buckets or buckets[-1][0] != float("inf"), f"{family.name} has no +Inf")
    problem(buckets != sorted(buckets), f"{family.name}: bounds or counts go down")
    problem(family.samples[family.name + "_count", None] != buckets[-1][1], f"{family.name}: count is not +Inf's")
    problem((family.name + "_sum", None) not in family.samples, f"{family.name} has no sum")


def check(family):
    if family.type == "counter":
        problem(not family.name.endswith("_total"), f"the counter {family.name} does not end in _total")
        problem(any(value < 0 for value in family.samples.values()), f"{family.name} is negative")
    else:
        problem(family.name.endswith("_total"), f"{family.name} is no counter and ends in _total")
    problem(not family.help.endswith("."), f"the help of {family.name} is no sentence")
    problem(not family.name.startswith(("coho_", "process_")), f"{family.name} is none of ours")
    if family.type == "histogram":
        check_histogram(family)


def main():
    url = sys.argv[1].replace("ws", "http", 1)
    request = urllib.request.Request(f"{url}/metrics", headers=dict(h.split(": ", 1) for h in sys.argv[2:]))
    with urllib.request.urlopen(request, timeout=20) as answer:
        problem(answer.headers["Content-Type"] != "text/plain; version=0.0.4; charset=utf-8", "the media type")
        text = answer.read().decode()
    problem(not text.endswith("\n"), "no end of the last line")
    families = []
    for line in text.splitlines():
        (read_head if line.startswith("#") else read_sample)(families, line)
    for family in families:
        check(family)
        print(family.type, family.name)


main()
