"""The commands around learning: learn, models."""

from __future__ import annotations

from typing import Annotated

import typer

from packyak.cli.asking import Desk
from packyak.cli.options import HomeUri, Json, ProjectFolder, Verbose, command, flag
from packyak.cli.place import find_place
from packyak.cli.say import say, say_json
from packyak.cli.tables import show_table
from packyak.cli.words import counted, moment
from packyak.engine.errors import SettingError
from packyak.engine.learn.models import Card, Score
from packyak.engine.run.lessons import Flips, Lesson, Models, called

Learned = Annotated[
    list[str] | None, typer.Argument(metavar="ASSET", help="Only these learned transforms.", show_default=False)
]
OneLearned = Annotated[str | None, typer.Argument(metavar="ASSET", help="A learned transform.", show_default=False)]
OneModel = Annotated[
    str | None,
    typer.Argument(metavar="MODEL", help="The beginning of an id, or rule; default: the newest.", show_default=False),
]
SHOWN = 10
NONE_DECLARED = "No learned transform is declared. Next: @learned, see docs/learning.md"


@command(
    "learn",
    ("packyak learn", "learn from what people said, now, and let the gate decide"),
    ("packyak learn topic", "only topic"),
    ("packyak learn topic --promote", "let the new model answer whatever the gate says"),
    ("packyak learn topic --hold", "only try: the present model goes on answering"),
    ("packyak learn --json", "what came of it, for a script"),
)
def learn(
    assets: Learned = None,
    promote: Annotated[bool, flag("--promote", "Let the new model answer, in place of the gate.")] = False,
    hold: Annotated[bool, flag("--hold", "Let the present model go on answering, in place of the gate.")] = False,
    project: ProjectFolder = None,
    home: HomeUri = None,
    verbose: Verbose = False,
    as_json: Json = False,
) -> None:
    """Learn from corrections. A model that is not worse answers from then on; the next run computes what it changes."""
    if promote and hold:
        raise SettingError("--promote and --hold exclude each other", next_step="give one of them, or neither")
    desk = Desk(find_place(project, home))
    decided = True if promote else False if hold else None
    lessons: tuple[Lesson, ...] = desk.ask("learn", assets or None, promote=decided, by=desk.person)
    if as_json:
        say_json(lessons)
        return
    for lesson in lessons:
        say(f"{lesson.asset}: {lesson.words}")
        if lesson.card.score is not None:
            say(f"    {_score_words(lesson.card.score)}; {lesson.card.seconds:.1f} CPU s")
    if not lessons and not desk.ask("models", None):
        say(NONE_DECLARED)
    elif not lessons:
        say("Nothing to learn from yet. Next: `packyak review` asks the records worth a person's time")
    elif any(lesson.promoted for lesson in lessons):
        say("Next: `packyak run` computes what the new models change")


@command(
    "models",
    ("packyak models", "what each learned transform has learned, and which model answers"),
    ("packyak models topic", "the models of topic and the decisions about them"),
    ("packyak models topic --flips", "what promoting the newest would change"),
    ("packyak models topic --promote 3f2a", "let the model whose id begins with 3f2a answer"),
    ("packyak models topic --roll-back", "let the one before answer again"),
    ("packyak models topic --pin", "keep the present one, whatever is learned"),
)
def models(
    asset: Annotated[
        str | None, typer.Argument(metavar="ASSET", help="A learned transform.", show_default=False)
    ] = None,
    model: Annotated[
        str | None,
        typer.Argument(
            metavar="MODEL", help="The beginning of an id, or rule; default: the newest.", show_default=False
        ),
    ] = None,
    flips: Annotated[bool, flag("--flips", "Show what promoting it would change, and change nothing.")] = False,
    promote: Annotated[bool, flag("--promote", "Let it answer.")] = False,
    roll_back: Annotated[bool, flag("--roll-back", "Let the model before the present one answer again.")] = False,
    pin: Annotated[bool, flag("--pin", "Keep the present model until a person decides otherwise.")] = False,
    why: Annotated[str, typer.Option("--why", metavar="TEXT", help="The reason, kept with the decision.")] = "",
    project: ProjectFolder = None,
    home: HomeUri = None,
    verbose: Verbose = False,
    as_json: Json = False,
) -> None:
    """Show models and how they fared on corrections they had not seen; promote, roll back or pin one."""
    place = find_place(project, home)
    desk = Desk(place)
    asked = [
        name for name, on in (("flips", flips), ("promote", promote), ("roll_back", roll_back), ("pin", pin)) if on
    ]
    if len(asked) > 1 or (asked and asset is None):
        raise SettingError(
            "one thing at a time, and of one learned transform", next_step="`packyak models ASSET` and one option"
        )
    if flips:
        found: Flips = desk.ask("flips", asset, model)
        say_json(found) if as_json else _say_flips(found)
    elif asked:
        given = (asset, model) if promote else (asset,)
        done = desk.ask(asked[0], *given, by=desk.person, why=why)
        if as_json:
            say_json(done)
        else:
            pinned = " and stays" if done.act == "pin" else ""
            say(f"{done.asset}: {called(done.model)} answers{pinned}. Next: `packyak run` computes what that changes")
    else:
        known: tuple[Models, ...] = desk.ask("models", asset)
        if as_json:
            say_json(known)
        elif asset is None:
            _say_all(known)
        else:
            _say_one(known[0], by_itself=place.settings["learn"] != "off")


def _say_all(known: tuple[Models, ...]) -> None:
    show_table(
        ("asset", "learns by", "answers", "right when held out", "corrections", "due"),
        [
            (each.asset, each.task or "rule only", called(each.current) + (" (pinned)" if each.pinned else ""),
             _short(each.card), each.corrections, each.due)
            for each in known
        ],
        right=("corrections",),
    )  # fmt: skip
    if not known:
        say(NONE_DECLARED)


def _say_one(known: Models, *, by_itself: bool) -> None:
    say(f"{known.asset}: {called(known.current)} answers{', pinned' if known.pinned else ''}")
    say(f"{counted(known.corrections, 'correction')}; {known.due or _when(known, by_itself)}")
    if known.cards:
        show_table(
            ("model", "learned", "from", "right when held out", "calibration error", "answers"),
            [
                (
                    card.id[:8],
                    moment(card.at),
                    card.labels,
                    _short(card),
                    _off(card),
                    "yes" if card.id == known.current else "",
                )
                for card in known.cards
            ],
            right=("from",),
        )
    for each in known.promotions[:SHOWN]:
        reason = f": {each.why}" if each.why else ""
        say(f"{moment(each.at)}  {each.act} {called(each.model)} by {each.by or 'nobody'}{reason}")


def _when(known: Models, by_itself: bool) -> str:
    if not known.task:
        return "only the first rule ever answers: it writes new text, which is not learned here"
    if not known.until_due or not by_itself:
        return "learns when asked to: `packyak learn`"
    return f"learns {'again ' if known.cards else ''}after {known.until_due:,} more"


def _short(card: Card | None) -> str:
    score = card.score if card else None
    return f"{score.value:.1%} ({score.low:.0%} to {score.high:.0%})" if score else ""


def _off(card: Card) -> str:
    return f"{card.score.calibration:.3f}" if card.score and card.score.calibration is not None else ""


def _score_words(score: Score) -> str:
    interval = f"{score.low:.0%} to {score.high:.0%}"
    return f"{score.value:.1%} right of {counted(score.answers, 'held-out answer')} (90 % interval {interval})"


def _say_flips(found: Flips) -> None:
    say(f"{found.asset}, {called(found.model)}: {counted(found.changed, 'record')} of {found.records:,} would change")
    if found.contradicted:
        say(f"It differs from people on {counted(found.contradicted, 'field')}; their word holds:")
        for flip in found.contradictions[:SHOWN]:
            say(f"    {flip.key} {flip.column}: a person said {_value(flip.said)}, it says {_value(flip.after)}")
    for group in found.groups[:SHOWN]:
        say(f"    {group.count:,} x {group.column}: {_value(group.before)} -> {_value(group.after)}")


def _value(value: object) -> str:
    return "nothing" if value is None else f"{value}"
