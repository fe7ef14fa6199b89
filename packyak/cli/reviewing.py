"""`packyak review`: asks a person one question at a time, lists the questions, or applies a file of answers."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from packyak.cli.asking import Desk
from packyak.cli.say import DONE, WRONG, note, on_terminal, say, say_json
from packyak.cli.tables import cell, show_table
from packyak.cli.words import counted
from packyak.engine.errors import PackyakError
from packyak.engine.run.questions import Decided, Decision, Question, Review

HELP = "a accept, NUMBER or =VALUE correct, s skip, n TEXT note, u undo, q quit"
RECORD_HELP = "COLUMN=VALUE correct a field, a accept all others, s skip, n TEXT note, u undo, q quit"
SHOWN = 300


def can_ask() -> bool:
    """Whether a person sits at a terminal."""
    return sys.stdin.isatty() and on_terminal(sys.stdout)


def show_list(found: Review) -> None:
    """The questions as a table."""
    rows = [(q.number, q.asset, q.key, q.column, q.answer, _sure(q), q.reason, q.why) for q in found.questions]
    show_table(("", "asset", "record", "column", "answer", "sure", "reason", "why"), rows)
    waiting = ", ".join(f"{count:,} {reason}" for reason, count in found.waiting.items())
    note(f"{counted(found.decided, 'field')} decided; waiting: {waiting or 'nothing'}")


def ask_all(desk: Desk, found: Review, person: str) -> int:
    """Asks each question; answers are saved one by one, so that nothing is lost by leaving."""
    if not found.questions:
        say("Nothing to ask.")
        return DONE
    session = Session(desk, found.questions, person)
    while session.at < len(session.questions) and session.ask():
        pass
    say(f"{counted(session.answered, 'answer')} saved. Next: `packyak run` carries them on")
    return DONE


@dataclass
class Session:
    """One person's way through a list. done: the ids of what was saved, with the place of its question."""

    desk: Desk
    questions: tuple[Question, ...]
    person: str
    at: int = 0
    answered: int = 0
    done: list[tuple[int, str, int]] = field(default_factory=list)

    def ask(self) -> bool:
        """One question until it is answered. False: the person leaves."""
        question = self.questions[self.at]
        _show(question, len(self.questions))
        fixes: dict[str, str] = {}
        while True:
            try:
                text = input("> ").strip()
            except (EOFError, KeyboardInterrupt):
                say()
                return False
            if text in ("q", "quit"):
                return False
            if text in ("u", "undo"):
                self._undo()
                return True
            if not question.column and "=" in text and not text.startswith(("n ", "note ")):
                column, _, value = text.partition("=")
                fixes[column.strip()] = value.strip()
                say(f"  {column.strip()} = {value.strip()}; a saves it with the others as they are")
                continue
            decision = _decision(question, text, fixes)
            if decision is None:
                say(HELP if question.column else RECORD_HELP)
            elif self._save(decision):
                return True
            else:
                fixes.clear()

    def _save(self, decision: Decision) -> bool:
        """Saves an answer; True where the next question is due."""
        (outcome,) = self.desk.ask("decide", [decision], by=self.person)
        if outcome.state == "refused":
            say(outcome.message)
            return False
        if outcome.state == "changed":
            say(f"{outcome.message}.")
        moves = decision.action != "comment"
        if outcome.state == "saved":
            counts = int(decision.action in ("accept", "correct"))
            self.done.append((self.at, outcome.correction, counts))
            self.answered += counts
            if not moves:
                say("Noted.")
        self.at += moves
        return moves

    def _undo(self) -> None:
        if not self.done:
            say("Nothing to undo here.")
            return
        self.at, identity, counts = self.done.pop()
        self.desk.ask("undo", identity, by=self.person)
        self.answered -= counts
        say("Undone.")


def _decision(question: Question, text: str, fixes: Mapping[str, str]) -> Decision | None:
    """What a person typed, as a decision; None where it is no answer. fixes: fields of a record corrected before."""

    def made(action: Any, value: Any = None) -> Decision:
        return Decision(
            question.asset, question.key, question.column, action, value, seen=question.seen,
            at_random=question.at_random,
        )  # fmt: skip

    if text in ("a", "accept") and question.reason != "second":  # nobody accepts what is hidden
        return made("correct", dict(fixes)) if fixes else made("accept")
    if text in ("s", "skip"):
        return made("skip")
    if text.startswith(("n ", "note ")):
        return made("comment", text.partition(" ")[2].strip())
    if text.startswith("="):
        return made("correct", text[1:].strip() or None)
    choices = question.choices or ()
    if text.isdigit() and 1 <= int(text) <= len(choices):
        return made("correct", choices[int(text) - 1])
    if text in [str(choice) for choice in choices]:
        return made("correct", next(choice for choice in choices if str(choice) == text))
    return None


def _show(question: Question, many: int) -> None:
    field = f", {question.column}" if question.column else ""
    say(f"\n{question.number} of {many}: {question.asset} {question.key}{field}")
    for name, value in question.inputs.items():
        say(f"  {name}: {_short(value)}")
    if question.reason == "second":
        say(f"  {question.column} = hidden until you have answered")
    elif question.column:
        answer = f"{cell(question.answer) or 'null'}{_sure(question, ', ')}"
        say(f"  {question.column} = {answer} (decided by {question.decided})")
    else:
        for name, value in question.answer.items():
            say(f"  {'?' if name in question.suspects else ' '} {name} = {cell(value) or 'null'}")
    say(f"  asked because: {question.why}")
    for one in question.opinions:
        say(f"  {one.by} {one.kind}ed it: {cell(one.value) or 'null'}{f' ({one.why})' if one.why else ''}")
    for text in question.earlier:
        say(f"  note of {text}")
    for near in question.neighbours:
        say(f"  like it: {near.key} is {cell(near.value) or 'null'} {_short(next(iter(near.inputs.values()), ''), 80)}")
    say(f"  {question.reach.words}")
    for place, choice in enumerate(question.choices or (), 1):
        say(f"  {place} {choice}")
    say(f"  [{HELP if question.column else RECORD_HELP}]")


def _short(value: Any, limit: int = SHOWN) -> str:
    text = cell(value)
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def _sure(question: Question, before: str = "") -> str:
    return "" if question.confidence is None else f"{before}{question.confidence:.0%}"


def apply_file(desk: Desk, file: Path, person: str, as_json: bool) -> int:
    """Applies the answers in a file of JSON lines and tells what came of each."""
    decisions = _read(file)
    outcomes: tuple[Decided, ...] = desk.ask("decide", decisions, by=person)
    wrong = [(line, each) for line, each in enumerate(outcomes, 1) if each.state in ("changed", "refused")]
    if as_json:
        say_json({"outcomes": outcomes})
        return WRONG if wrong else DONE
    for line, each in wrong:
        note(f"answer {each.decision.number or line}: {each.decision.asset} {each.decision.key}: {each.message}")
    saved, already = (sum(each.state == state for each in outcomes) for state in ("saved", "already"))
    there = f", {already:,} there already" if already else ""
    say(f"{counted(saved, 'answer')} saved{there}{f', {len(wrong):,} not' if wrong else ''}")
    return WRONG if wrong else DONE


def _read(file: Path) -> list[Decision]:
    try:
        lines = file.read_text("utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise PackyakError(f"{file} cannot be read: {why}", next_step="name a UTF-8 file of JSON lines") from error
    return [_parsed(file, number, line) for number, line in enumerate(lines, 1) if line.strip()]


def _parsed(file: Path, number: int, line: str) -> Decision:
    try:
        given = json.loads(line)
        if not isinstance(given, Mapping):
            raise TypeError("it is no JSON object")
        named = {name: str(given.get(name) or "") for name in ("asset", "key", "column", "why", "seen", "by")}
        missing = [name for name in ("asset", "key", "do") if not given.get(name)]
        if missing:
            raise ValueError(f"{missing[0]} is missing")
        return Decision(
            **named, action=given["do"], value=given.get("value"), number=str(given.get("number") or ""),
            at_random=bool(given.get("at_random")),
        )  # fmt: skip
    except (ValueError, TypeError) as error:
        raise PackyakError(
            f"line {number} of {file} is no answer: {error}",
            next_step='write {"asset": ..., "key": ..., "column": ..., "do": "accept", "seen": ...}',
        ) from error
