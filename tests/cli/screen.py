"""Screen: what a terminal shows, as far as line editors use it."""
import re

SEQUENCE = re.compile(r"\x1b\[([0-9;?]*)([@-~])|\x1b[()].|\x1b[=>78]|\x1b\][^\x07]*\x07")


class Screen:
    def __init__(self, rows, columns):
        self.cells = [[]]
        self.row = self.column = 0
        self.pending = b""
        self.resize(rows, columns)

    def resize(self, rows, columns):
        self.rows, self.columns = rows, columns

    def lines(self):
        text = ["".join(cells).rstrip() for cells in self.cells]
        while text and not text[-1]:
            text.pop()
        return text

    def write(self, data):
        data = self.pending + data
        text = data.decode(errors="ignore")
        # A sequence that is cut waits for its rest.
        start = text.rfind("\x1b")
        if start >= 0 and not SEQUENCE.match(text, start):
            self.pending = text[start:].encode()
            text = text[:start]
        else:
            self.pending = b""
        at = 0
        while at < len(text):
            match = SEQUENCE.match(text, at)
            if match:
                self.obey(match[1] or "", match[2])
                at = match.end()
            else:
                self.put(text[at])
                at += 1

    def put(self, char):
        if char == "\n":
            self.go(self.row + 1, self.column)
        elif char == "\r":
            self.column = 0
        elif char == "\b":
            self.column = max(0, self.column - 1)
        elif char == "\t":
            self.column = min(self.columns - 1, self.column // 8 * 8 + 8)
        elif char >= " ":
            if self.column == self.columns:
                self.go(self.row + 1, 0)
            self.cell_at(self.column)[self.column] = char
            self.column += 1
        elif char not in "\x07\x0e\x0f":
            raise ValueError(f"the screen got {char!r}")

    def go(self, row, column):
        self.row, self.column = max(0, row), max(0, column)
        while len(self.cells) <= self.row:
            self.cells.append([])

    def cell_at(self, column):
        cells = self.cells[self.row]
        cells.extend(" " * (column + 1 - len(cells)))
        return cells

    def obey(self, argument, letter):
        if not letter or letter in "hlmr":
            return
        n = int(argument.split(";")[0] or 0)
        many = max(1, n)
        cells = self.cells[self.row]
        if letter == "A":
            self.go(self.row - many, self.column)
        elif letter == "B":
            self.go(self.row + many, self.column)
        elif letter == "C":
            self.column = min(self.columns - 1, self.column + many)
        elif letter == "D":
            self.column = max(0, self.column - many)
        elif letter == "G":
            self.column = many - 1
        elif letter == "K" and n == 0:
            del cells[self.column:]
        elif letter == "J" and n == 0:
            del cells[self.column:]
            del self.cells[self.row + 1:]
        elif letter == "P":
            del cells[self.column:self.column + many]
        elif letter == "@":
            self.cell_at(self.column)
            cells[self.column:self.column] = " " * many
        else:
            raise ValueError(f"the screen does not know ESC [ {argument} {letter}")
