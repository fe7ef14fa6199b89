"""Programs that code starts: those that are known to stay on this machine, and all others, which may use AWS.

A program runs under the same role and finds the same credentials. Whether it asks AWS for anything cannot be read, so
only the ones listed here pass, and only where nothing in their arguments speaks of AWS.
"""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from packyak.deploy.grants.infer import containers
from packyak.deploy.grants.infer.atoms import NOTHING, UNKNOWN, Text, Value, one, union
from packyak.deploy.grants.infer.heap import Env
from packyak.deploy.grants.infer.machine import Args
from packyak.deploy.grants.infer.texts import shown_node

if TYPE_CHECKING:
    from packyak.deploy.grants.infer.machine import Machine

# fmt: off
_LOCAL = frozenset((
    "antiword", "awk", "basename", "bzip2", "cat", "chmod", "chown", "clamscan", "convert", "cp", "cut", "date", "df",
    "diff", "dirname", "du", "echo", "exiftool", "false", "ffmpeg", "ffprobe", "file", "free", "git", "gpg", "grep",
    "gs", "gunzip", "gzip", "head", "hostname", "id", "identify", "jq", "kill", "libreoffice", "ln", "ls", "lscpu",
    "magick", "md5sum", "mkdir", "mogrify", "mutool", "mv", "nproc", "nvidia-smi", "ocrmypdf", "openssl", "pandoc",
    "pdfimages", "pdfinfo", "pdftk", "pdftoppm", "pdftotext", "ps", "pwd", "qpdf", "rm", "rmdir", "sed", "seq",
    "sha256sum", "sleep", "soffice", "sort", "sox", "split", "stat", "tail", "tar", "tee", "tesseract", "touch", "tr",
    "true", "uname", "uniq", "unrtf", "unzip", "uptime", "wc", "which", "whoami", "wkhtmltopdf", "xz", "zip", "zstd",
))
# fmt: on
_SPEAKS_OF_AWS = re.compile(r"s3[an]?://|/vsis3/|amazonaws|\baws\b|\bboto|169\.254\.", re.IGNORECASE)
_SHELL = re.compile(r"[|;&`\n<>]|\$\(")


def started(m: Machine, args: Args, node: ast.AST, env: Env) -> Value:
    """`subprocess.run(["ffmpeg", ...])`, `os.system("...")`."""
    words = (args.get(0, "args") or args.named.get("cmd") or NOTHING) | args.named.get("executable", NOTHING)
    several = len(args.positional) > 1 and "exec" in ast.unparse(node)[:60]  # each argument is a word
    for each in words:
        known = containers.sequence(m, one(each), env, node)
        rest = [containers.element(m, one(each), env, node)] if not isinstance(each, Text) else []
        first = known[0] if known else one(each)
        more = union([*rest, *(args.positional[1:] if several else [])])
        if not first or any(_may_use_aws(atom, more) for atom in first):
            return m.refuse(node, env, f"`{shown_node(node)}` starts a program that may use AWS")
    return UNKNOWN


def replaced(m: Machine, args: Args, node: ast.AST, env: Env) -> Value:
    """`os.execvp("aws", ...)`, `os.posix_spawn(...)`, `pty.spawn(...)`: what runs instead is not looked at."""
    return m.refuse(node, env, f"`{shown_node(node)}` starts a program that may use AWS")


def _may_use_aws(atom: object, more: Value) -> bool:
    if not isinstance(atom, Text) or not atom.parts or not isinstance(atom.parts[0], str):
        return True
    line = "".join(part if isinstance(part, str) else " " for part in atom.parts)
    texts = [
        line,
        *("".join(part for part in each.parts if isinstance(part, str)) for each in more if isinstance(each, Text)),
    ]
    if any(_SPEAKS_OF_AWS.search(each) for each in texts):
        return True
    if len(atom.parts) > 1 and " " not in atom.parts[0]:
        return True  # the name itself is known in part
    return any(_program(each) not in _LOCAL for each in _SHELL.split(line) if each.strip())


def _program(command: str) -> str:
    """The program of one command of a shell's line."""
    words = command.split()
    while words and ("=" in words[0] or words[0] in ("!", "(", "{")):
        words.pop(0)
    return words[0].rpartition("/")[2] if words else ""
