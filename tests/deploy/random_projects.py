"""Random projects for the proof of grants: every kind of declaration, 5 to 40 units, the same for the same seed.

Sources are read from files; below them grows a graph of transforms (one to one, whole records, one to many), learned
transforms, queries, whole tables, look-ups, indexes and functions, with checks beside. Records are few: what a role
needs does not depend on how many there are. Every eighth project has functions that reach services beside the home.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

HEAD = """from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from packyak import Bucket, File, Index, asset, check, function, learned, read_csv, sql, transform
"""
SMALLEST, LARGEST = 5, 40
WORDS = ("amber", "birch", "cedar", "dune", "elm", "fern", "grove", "heath", "iris", "juniper", "kelp", "larch")
EMBEDDING = 0.03  # of the units: each loads the embedding model
REACHING = 8  # every so many projects reach services beside the home
QUEUE = "https://sqs.us-east-1.amazonaws.com/123456789012/{0}"
TOPIC = "arn:aws:sns:us-east-1:123456789012:{0}"
# What a function may do there; {0}: a name of its own or one that it shares.
DEEDS = (
    'boto3.client("dynamodb").put_item(TableName="{0}", Item={{"key": {{"S": file.key}}}})',
    'boto3.client("dynamodb").get_item(TableName="{0}", Key={{"key": {{"S": file.key}}}})',
    'boto3.client("dynamodb").query(TableName="{0}", KeyConditionExpression="#k = :k", '
    'ExpressionAttributeNames={{"#k": "key"}}, ExpressionAttributeValues={{":k": {{"S": file.key}}}})',
    'boto3.resource("dynamodb").Table("{0}").delete_item(Key={{"key": file.key}})',
    f'boto3.client("sqs").send_message(QueueUrl="{QUEUE}", MessageBody=file.key)',
    f'[boto3.client("sqs").delete_message(QueueUrl="{QUEUE}", ReceiptHandle=each["ReceiptHandle"])\n'
    f'     for each in boto3.client("sqs").receive_message(QueueUrl="{QUEUE}").get("Messages", [])]',
    'len(Secret("{0}/token").value())',
    'boto3.client("secretsmanager").put_secret_value(SecretId="{0}", SecretString=file.key)',
    f'boto3.client("sns").publish(TopicArn="{TOPIC}", Message=file.key)',
    'boto3.client("ssm").get_parameter(Name="/{0}/size")["Parameter"]["Value"]',
    'boto3.client("s3").put_object(Bucket="reports", Key=f"{0}/{{file.key}}", Body=b"x")',
)


@dataclass(frozen=True)
class Table:
    """A table that others can read. numbers, texts: its columns. keyed: whether transforms can read it."""

    name: str
    numbers: tuple[str, ...]
    texts: tuple[str, ...]
    keyed: bool = True


class RandomProject:
    """One project. size: how many units run under roles of their own."""

    def __init__(self, seed: int, size: int | None = None) -> None:
        self.rng = random.Random(f"project {seed}")
        self.seed = seed
        self.size = size or self.rng.randint(SMALLEST, LARGEST)
        self.tables: list[Table] = []
        self.units = 0
        self.kinds: dict[str, int] = {}
        self.source = self._written()

    def create(self, folder: Path) -> Path:
        """Writes the project with the files of its buckets."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "packyak.toml").write_text(f'name = "random-{self.seed}"\nmodules = ["pipeline"]\n')
        (folder / "pipeline.py").write_text(self.source)
        for bucket in range(self.buckets):
            place = folder / ".packyak" / "buckets" / f"inbox{bucket}"
            place.mkdir(parents=True, exist_ok=True)
            for part in range(2):
                rows = [self._row(bucket, part * 8 + number) for number in range(8)]
                (place / f"part{part}.csv").write_text("id,n,word\n" + "".join(rows))
        return folder

    def _row(self, bucket: int, number: int) -> str:
        rng = random.Random(f"{self.seed} {bucket} {number}")
        return f"{bucket}-{number},{rng.randint(1, 9)},{rng.choice(WORDS)} {rng.choice(WORDS)}\n"

    def _written(self) -> str:
        self.buckets = self.rng.randint(1, 1 + self.size // 12)
        parts = [HEAD, *(self._files(number) for number in range(self.buckets))]
        makers = (self._one, self._one, self._record, self._many, self._learned, self._query, self._whole, self._lookup,
                  self._function)  # fmt: skip
        while self.units < self.size:
            maker = self._index if self.rng.random() < EMBEDDING else self.rng.choice(makers)
            parts.append(maker())
        if self.seed % REACHING == 0:
            parts += self._reaching()
        parts += [self._check(number) for number in range(self.rng.randint(1, 2 + self.size // 8))]
        return "\n".join(parts)

    def _named(self, kind: str) -> str:
        self.units += 1
        self.kinds[kind] = self.kinds.get(kind, 0) + 1
        return f"{kind}{self.units}"

    def _any(self, *, keyed: bool = True) -> Table:
        return self.rng.choice([each for each in self.tables if each.keyed or not keyed])

    def _made(self, below: Table, name: str, numbers: tuple[str, ...] = (), texts: tuple[str, ...] = ()) -> None:
        """A table that extends another: its view has all their columns."""
        self.tables.append(Table(name, (*below.numbers, *numbers), (*below.texts, *texts)))

    def _files(self, number: int) -> str:
        name = self._named("rows")
        self.tables.append(Table(name, ("n",), ("word",)))
        return (
            f'inbox{number} = Bucket("inbox{number}")\n\n'
            f'@transform(inbox{number}.files("*.csv"), key="id")\ndef {name}(file: File) -> Iterator[dict]:\n'
            '    for row in read_csv(file):\n        yield {**row, "n": int(row["n"])}\n'
        )

    def _one(self) -> str:
        below, name = self._any(), self._named("one")
        if self.rng.random() < 0.5:
            column = self.rng.choice(below.texts)
            self._made(below, name, (name,))
            return f"@transform({below.name})\ndef {name}({column}: str) -> int:\n    return len({column})\n"
        columns = sorted(set(self.rng.choices(below.numbers, k=2)))
        self._made(below, name, (), (name,))
        listed, joined = ", ".join(f"{each}: int" for each in columns), " + ".join(f"str({each})" for each in columns)
        return f"@transform({below.name})\ndef {name}({listed}) -> str:\n    return {joined}\n"

    def _record(self) -> str:
        below, name = self._any(), self._named("record")
        number, text = self.rng.choice(below.numbers), self.rng.choice(below.texts)
        self._made(below, name, (f"{name}_n",), (f"{name}_word",))
        return (
            f"@dataclass\nclass Of{name}:\n    {name}_n: int\n    {name}_word: str\n\n"
            f"@transform({below.name})\ndef {name}({number}: int, {text}: str) -> Of{name}:\n"
            f"    return Of{name}({number} * 2, {text}.upper())\n"
        )

    def _many(self) -> str:
        below, name = self._any(), self._named("many")
        text = self.rng.choice(below.texts)
        self.tables.append(Table(name, ("place",), ("part",)))
        return (
            f'@transform({below.name}, key_in_parent="place")\n'
            f"def {name}({text}: str) -> Iterator[dict]:\n"
            f"    for place, part in enumerate({text}.split()[:2]):\n"
            '        yield {"place": place, "part": part}\n'
        )

    def _learned(self) -> str:
        """What numbers say, how a text is spelled, or a text that only the first rule gives."""
        below, name = self._any(), self._named("learned")
        number, text = self.rng.choice(below.numbers), self.rng.choice(below.texts)
        head = f"@learned({below.name}, train_after=4)\n"
        kind = self.rng.choice(("choose", "choose", "repair", "extract"))
        if kind == "choose":
            self._made(below, name, (), (name,))
            return (
                f'{head}def {name}({number}: int) -> Literal["few", "many"] | None:\n'
                f'    return "few" if {number} < 5 else "many"\n'
            )
        if kind == "extract":
            self._made(below, name, (), (name,))
            return f"{head}def {name}({text}: str) -> str:\n    return {text}.split()[0]\n"
        self._made(below, name)
        return (
            f"@dataclass\nclass Of{name}:\n    {text}: str\n\n"
            f'{head}def {name}({text}: str) -> Of{name}:\n    return Of{name}(" ".join({text}.split()))\n'
        )

    def _query(self) -> str:
        below, name = self._any(keyed=False), self._named("query")
        if len(self.tables) > 1 and self.rng.random() < 0.3:
            other = self.rng.choice([each for each in self.tables if each != below])
            self.tables.append(Table(name, ("n",), ("word",), keyed=False))
            select = f"select count(*) as n, 'all' as word from {below.name}, {other.name}"
            return f'{name} = sql("{select}")\n'
        text = self.rng.choice(below.texts)
        self.tables.append(Table(name, ("n",), ("word",), keyed=False))
        return f'{name} = sql("select {text} as word, count(*)::bigint as n from {below.name} group by all")\n'

    def _whole(self) -> str:
        below = [self._any(keyed=False) for _ in range(self.rng.randint(1, 2))]
        name = self._named("whole")
        names = list(dict.fromkeys(each.name for each in below))
        lines = " + ".join(f"len({each}.fetchall())" for each in names)
        self.tables.append(Table(name, ("n",), ("word",)))
        return (
            f'@asset(key="id")\ndef {name}({", ".join(names)}) -> list[dict]:\n'
            f'    return [{{"id": str(at), "n": at + {lines}, "word": "w" + str(at)}} for at in range(3)]\n'
        )

    def _lookup(self) -> str:
        below = self._any()
        text = self.rng.choice(below.texts)
        others = [each for each in self.tables if each.keyed and each != below]
        if not others:
            return self._one()
        other, name = self.rng.choice(others), self._named("lookup")
        self._made(below, name, (name,))
        return (
            f'@transform({below.name}, lookup={{"{other.name}": "{text}"}})\n'
            f"def {name}({text}: str, {other.name}: dict | None) -> int:\n"
            f"    return len({text}) + len({other.name} or {{}})\n"
        )

    def _index(self) -> str:
        below, name = self._any(), self._named("index")
        return f'{name} = Index({below.name}, on="{self.rng.choice(below.texts)}")\n'

    def _function(self) -> str:
        """Reads the file it was called for, or keeps it in a bucket of its own, and there looks at what it kept."""
        name, bucket = self._named("function"), self.rng.randrange(self.buckets)
        on = f'inbox{bucket}.created("*.csv")'
        body = self.rng.choice((
            "    len(file.read_bytes())\n",
            f'    Bucket("kept{bucket}").put_sync(f"{name}/{{file.key}}", file.read_bytes())\n',
            f'    mine = Bucket("kept{bucket}")\n    mine.put_sync(f"{name}/{{file.key}}", b"x")\n'
            f'    for key in mine.list_sync():\n        len(key)\n    mine.get_sync("{name}/part0.csv")\n',
        ))  # fmt: skip
        return f"@function(on={on})\ndef {name}(file: File) -> None:\n{body}"

    def _reaching(self) -> Iterator[str]:
        """Functions that reach services, some of them the same ones."""
        yield "import boto3\nfrom packyak import Secret\n"
        rng = random.Random(f"services {self.seed}")
        for _ in range(4):
            name = self._named("reaching")
            own = [deed.format(rng.choice((name, "shared"))) for deed in rng.sample(DEEDS, 3)]
            on = f'inbox{rng.randrange(self.buckets)}.created("*.csv")'
            yield f"@function(on={on})\ndef {name}(file: File) -> None:\n" + "".join(f"    {each}\n" for each in own)

    def _check(self, number: int) -> str:
        target = self._any(keyed=False)
        others = [each for each in self.tables if each != target]
        if others and self.rng.random() < 0.5:
            other = self.rng.choice(others).name
            body = (
                f"({target.name}, {other}):\n    return len({target.name}.fetchall()) + len({other}.fetchall()) > 0\n"
            )
        else:
            body = f"({target.name}):\n    return len({target.name}.fetchall()) > 0\n"
        return f"@check({target.name})\ndef check{number}{body}"
