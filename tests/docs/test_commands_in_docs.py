"""Every `oxturn ...` and every unit that the manuals name is there: verbs and options by the command tree itself."""

import re
import shlex
from pathlib import Path

import pytest
import typer

from oxturn.cli import app, mount

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
UNITS = {path.stem for path in (ROOT / "deploy" / "systemd").glob("*.service")}
COMMAND = re.compile(r"(\./|\S*bin/)?oxturn")


def code(text):
    """Lines of fenced blocks, continued ones joined and comments gone; and what stands between backticks."""
    blocks = re.findall(r"^```\w*\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    for line in "\n".join(blocks).replace("\\\n", " ").splitlines():
        yield re.sub(r"(^|\s)#.*", "", line)
    yield from re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL))


def words_of(piece):
    try:
        return shlex.split(piece)
    except ValueError:  # half a quotation: prose
        return piece.split()


def calls(text):
    """Words after `oxturn` of every call; `a / b` are two calls, and what an option may be stands in brackets."""
    for line in code(text):
        for piece in re.split(r"\s(?:\||&&)\s", line):
            words = words_of(re.sub(r"[\[\]]", " ", piece))
            at = max((number for number, word in enumerate(words) if COMMAND.fullmatch(word)), default=None)
            if at is None or not words[at + 1 :] or words[at + 1].startswith("-"):
                continue  # the account or the unit of that name
            first, *others = " ".join(words[at + 1 :]).split(" / ")
            yield first.split()
            yield from [[*first.split()[:-1], *other.split()] for other in others]


def complaint(command, words):
    """What of the call does not exist; None when all of it does."""
    left = list(words)
    while left and hasattr(command, "commands"):
        if left[0] not in command.commands:
            return f"no verb {left[0]}"
        command = command.commands[left.pop(0)]
    options = {name for parameter in command.params for name in parameter.opts + parameter.secondary_opts} | {"--help"}
    named = [word.partition("=")[0] for word in left if re.match(r"--?[a-z]", word)]
    return next((f"no option {name}" for name in named if name not in options), None)


@pytest.fixture(scope="module")
def command():
    mount()
    return typer.main.get_command(app)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_calls_verbs_and_options_that_exist(command, page):
    wrong = {" ".join(words): told for words in calls(page.read_text()) if (told := complaint(command, words))}

    assert wrong == {}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_names_units_that_exist(page):
    named = re.findall(
        r"(?:systemctl [\w-]+|journalctl (?:-\S+ )*?-u) (oxturn[\w.-]*)", "\n".join(code(page.read_text()))
    )

    assert set(named) <= UNITS


def test_the_pages_are_read_as_people_write_them(command):
    text = """
`oxturn ota status --to robot` and `oxturn sim world / capture / fly`, but not `journalctl -u oxturn -b`.
```
sudo -u oxturn ./oxturn pi selftest   # oxturn nothing
oxturn ota keys --keys keys | oxturn ota push [--software] \\
       --nothing=3
```
"""

    assert [(words, complaint(command, words)) for words in calls(text)] == [
        (["pi", "selftest"], None),
        (["ota", "keys", "--keys", "keys"], None),
        (["ota", "push", "--software", "--nothing=3"], "no option --nothing"),
        (["ota", "status", "--to", "robot"], "no option --to"),
        (["sim", "world"], None),
        (["sim", "capture"], None),
        (["sim", "fly"], "no verb fly"),
    ]
