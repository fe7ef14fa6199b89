"""Places the cards of a graph in layers, inputs before what reads them, left to right or downwards, with few crossings.

Layers by longest path, barycentre ordering, then heights by isotonic regression, so that edges run straight and cards
never overlap; parts without connection stand on shelves. Own code: the one pure-Python library for this, grandalf, is
GPL/EPL and was last released in 2023; the JavaScript ones took 10-100 times longer on large graphs. Deterministic: the
same graph always gets the same picture.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

Point = tuple[float, float]
Size = tuple[float, float]
Link = tuple[str, str]

COLUMN_GAP = 84.0
COLUMN_GAP_DOWN = 44.0
ROW_GAP = 26.0
BEND_HEIGHT = 12.0
GROUP_GAP = 44.0
SHELF = 1.7  # width to height of a window
SWEEPS = 8
TUCKED_UP_TO = 60  # cards: a larger graph's parts stand on shelves only
TUCK_STEP = 12.0


@dataclass(frozen=True)
class Place:
    """Where one card lies: its left top corner and its size."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class Route:
    """The bends of one edge, from the side where its source ends to the side where its target begins."""

    source: str
    target: str
    points: tuple[Point, ...]


@dataclass(frozen=True)
class Layout:
    """A drawn graph, from (0, 0) to (width, height)."""

    places: Mapping[str, Place]
    routes: tuple[Route, ...]
    width: float
    height: float


def arrange(sizes: Mapping[str, Size], links: Iterable[Link], *, down: bool = False, gap: float = COLUMN_GAP) -> Layout:
    """Place cards of these sizes, layers side by side with `gap` between, or below each other (`down`).

    Links whose ends are unknown or equal are left out; the rest must have no cycle.
    """
    if not down:
        return _arrange(sizes, links, gap, SHELF)
    turned = _arrange(
        {name: (height, width) for name, (width, height) in sizes.items()}, links, COLUMN_GAP_DOWN, 1 / SHELF
    )
    places = {name: Place(place.y, place.x, place.height, place.width) for name, place in turned.places.items()}
    routes = tuple(replace(route, points=tuple((y, x) for x, y in route.points)) for route in turned.routes)
    return Layout(places, routes, turned.height, turned.width)


def _arrange(sizes: Mapping[str, Size], links: Iterable[Link], gap: float, shape: float) -> Layout:
    known = [link for link in dict.fromkeys(links) if link[0] in sizes and link[1] in sizes and link[0] != link[1]]
    parts = [_part(group, sizes, known, gap) for group in _groups(list(sizes), known)]
    room = max(max((part.width for part in parts), default=0.0), _side(parts, shape))
    places: dict[str, Place] = {}
    routes: list[Route] = []
    left = top = below = width = 0.0
    for part in parts:
        spot = _tucked(part, parts[0], places, routes) if places and len(sizes) <= TUCKED_UP_TO else None
        if spot is not None:
            _put(part, *spot, places, routes)
            continue
        if left and left + part.width > room + 1e-6:
            left, top = 0.0, below + GROUP_GAP
        _put(part, left, top, places, routes)
        width, below = max(width, left + part.width), max(below, top + part.height)
        left += part.width + gap
    return Layout(places, tuple(routes), width, below)


def _put(part: Layout, left: float, top: float, places: dict[str, Place], routes: list[Route]) -> None:
    for name, place in part.places.items():
        places[name] = replace(place, x=place.x + left, y=place.y + top)
    for route in part.routes:
        routes.append(replace(route, points=tuple((x + left, y + top) for x, y in route.points)))


def _tucked(part: Layout, main: Layout, places: Mapping[str, Place], routes: Sequence[Route]) -> Point | None:
    """Where a small part fits into the largest one's empty corners: so the picture stays as small as that one is."""
    taken = [*places.values(), *(_box(*ends) for route in routes for ends in pairwise(route.points))]
    for left in sorted({place.x for place in main.places.values()}):
        if left + part.width > main.width + 1e-6:
            break
        for step in range(max(int((main.height - part.height) // TUCK_STEP) + 1, 0)):
            wanted = Place(left, step * TUCK_STEP, part.width, part.height)
            if not any(_near(wanted, other) for other in taken):
                return wanted.x, wanted.y
    return None


def _box(start: Point, end: Point) -> Place:
    (ax, ay), (bx, by) = start, end
    return Place(min(ax, bx), min(ay, by), abs(bx - ax), abs(by - ay))


def _near(a: Place, b: Place) -> bool:
    """Whether two cards would touch, with room between them."""
    across = a.x < b.x + b.width + ROW_GAP and b.x < a.x + a.width + ROW_GAP
    return across and a.y < b.y + b.height + ROW_GAP and b.y < a.y + a.height + ROW_GAP


def _part(group: Sequence[str], sizes: Mapping[str, Size], links: Sequence[Link], gap: float) -> Layout:
    """One connected part, drawn by itself."""
    inside = set(group)
    drawing = _Drawing({name: sizes[name] for name in group}, [link for link in links if link[0] in inside], gap)
    places, routes = drawing.draw(0.0)
    width = max(place.x + place.width for place in places.values())
    return Layout(places, tuple(routes), width, max(place.y + place.height for place in places.values()))


def _side(parts: Sequence[Layout], shape: float) -> float:
    """How wide a shelf is, so that all parts together come near to a window's shape."""
    area = sum((part.width + COLUMN_GAP) * (part.height + GROUP_GAP) for part in parts)
    return float((area * shape) ** 0.5)


def _groups(names: Sequence[str], links: Sequence[Link]) -> list[list[str]]:
    """The connected parts of the graph, largest first, each in the order given."""
    leader = {name: name for name in names}

    def find(name: str) -> str:
        while leader[name] != name:
            leader[name] = name = leader[leader[name]]
        return name

    for source, target in links:
        leader[find(target)] = find(source)
    groups: dict[str, list[str]] = {}
    for name in names:
        groups.setdefault(find(name), []).append(name)
    return sorted(groups.values(), key=len, reverse=True)


def _layers(names: Sequence[str], links: Sequence[Link]) -> dict[str, int]:
    """The column of each card: one past its furthest input; what has no input sits next to its nearest reader."""
    inputs: dict[str, list[str]] = {name: [] for name in names}
    readers: dict[str, list[str]] = {name: [] for name in names}
    for source, target in links:
        inputs[target].append(source)
        readers[source].append(target)
    layer: dict[str, int] = {}
    waiting = {name: len(inputs[name]) for name in names}
    ready = [name for name in names if not waiting[name]]
    for name in ready:
        layer[name] = max((layer[source] + 1 for source in inputs[name]), default=0)
        for reader in readers[name]:
            waiting[reader] -= 1
            if not waiting[reader]:
                ready.append(reader)
    for name in names:
        if not inputs[name] and readers[name]:
            layer[name] = min(layer[reader] for reader in readers[name]) - 1
    return layer


class _Drawing:
    """One connected part while it is placed. Edges across several columns get a bend in each column that they pass."""

    def __init__(self, sizes: Mapping[str, Size], links: Sequence[Link], gap: float) -> None:
        self.sizes = sizes
        self.gap = gap
        self.layer = _layers(list(sizes), links)
        self.height = {name: size[1] for name, size in sizes.items()}
        self.columns: list[list[str]] = [[] for _ in range(max(self.layer.values()) + 1)]
        for name in sizes:
            self.columns[self.layer[name]].append(name)
        self.before: dict[str, list[str]] = {name: [] for name in sizes}
        self.after: dict[str, list[str]] = {name: [] for name in sizes}
        self.paths = {link: self._path(*link) for link in links}

    def _path(self, source: str, target: str) -> list[str]:
        path = [source]
        for column in range(self.layer[source] + 1, self.layer[target]):
            bend = f"{source}\0{target}\0{column}"
            self.height[bend] = BEND_HEIGHT
            self.before[bend], self.after[bend] = [], []
            self.columns[column].append(bend)
            path.append(bend)
        path.append(target)
        for left, right in pairwise(path):
            self.after[left].append(right)
            self.before[right].append(left)
        return path

    def draw(self, top: float) -> tuple[dict[str, Place], list[Route]]:
        self._order()
        middle = self._heights()
        lowest = min(middle[name] - self.height[name] / 2 for name in middle)
        shift = top - lowest
        lefts = self._lefts()
        places = {}
        for name, (width, height) in self.sizes.items():
            column = self.layer[name]
            places[name] = Place(lefts[column][0], middle[name] - height / 2 + shift, width, height)
        routes = [self._route(path, places, lefts, middle, shift) for path in self.paths.values()]
        return places, routes

    def _lefts(self) -> list[tuple[float, float]]:
        """The left side and the width of each column."""
        lefts, left = [], 0.0
        for column in self.columns:
            width = max((self.sizes[name][0] for name in column if name in self.sizes), default=0.0)
            lefts.append((left, width))
            left += width + self.gap
        return lefts

    def _route(
        self,
        path: Sequence[str],
        places: Mapping[str, Place],
        lefts: Sequence[tuple[float, float]],
        middle: Mapping[str, float],
        shift: float,
    ) -> Route:
        source, target = places[path[0]], places[path[-1]]
        points: list[Point] = [(source.x + source.width, source.y + source.height / 2)]
        for step, bend in enumerate(path[1:-1], start=self.layer[path[0]] + 1):
            left, width = lefts[step]
            height = middle[bend] + shift
            points += [(left, height), (left + width, height)]
        points.append((target.x, target.y + target.height / 2))
        return Route(path[0], path[-1], tuple(points))

    def _order(self) -> None:
        """Sort each column by the middle of its neighbours, sweeping both ways; keep the best order seen."""
        best, fewest = [list(column) for column in self.columns], self._crossings()
        for sweep in range(SWEEPS):
            if not fewest:
                break
            forward = sweep % 2 == 0
            near = self.before if forward else self.after
            rank = self._ranks()
            for column in self.columns if forward else reversed(self.columns):
                self._sort(column, near, rank)
            crossings = self._crossings()
            if crossings < fewest:
                best, fewest = [list(column) for column in self.columns], crossings
        self.columns = best

    @staticmethod
    def _sort(column: list[str], near: Mapping[str, Sequence[str]], rank: dict[str, int]) -> None:
        weight = {
            name: sum(rank[other] for other in near[name]) / len(near[name]) if near[name] else float(rank[name])
            for name in column
        }
        column.sort(key=lambda name: (weight[name], rank[name]))
        rank.update((name, position) for position, name in enumerate(column))

    def _ranks(self) -> dict[str, int]:
        return {name: rank for column in self.columns for rank, name in enumerate(column)}

    def _crossings(self) -> int:
        rank = self._ranks()
        total = 0
        for column in self.columns:
            ends = [rank[right] for left in column for right in sorted(self.after[left], key=rank.__getitem__)]
            total += _inversions(ends)
        return total

    def _heights(self) -> dict[str, float]:
        """The middle of every card and bend: as near to its neighbours' as its column allows."""
        middle: dict[str, float] = {}
        for column in self.columns:
            height = 0.0
            for name in column:
                middle[name] = height + self.height[name] / 2
                height += self.height[name] + ROW_GAP
        for sweep in range(SWEEPS):
            forward = sweep % 2 == 0
            for column in self.columns if forward else reversed(self.columns):
                wishes = [self._wish(name, middle, forward, sweep < 2) for name in column]
                middle.update(self._settle(column, wishes))
        for column in self.columns:  # at last each end goes below its inputs, then each card above its readers
            wishes = [middle[name] if self.after[name] else self._wish(name, middle, True, True) for name in column]
            middle.update(self._settle(column, wishes))
        for column in reversed(self.columns):
            middle.update(self._settle(column, [self._wish(name, middle, False, True) for name in column]))
        return middle

    def _wish(self, name: str, middle: Mapping[str, float], forward: bool, one_sided: bool) -> float:
        """Where a card would like to be: level with its neighbours, at first only with those already placed."""
        if one_sided:
            near = self.before[name] if forward else self.after[name]
        else:
            near = [*self.before[name], *self.after[name]]
        return _mean([middle[other] for other in near], middle[name])

    def _settle(self, column: Sequence[str], wishes: Sequence[float]) -> dict[str, float]:
        """The heights nearest to the wishes, in order and without overlap."""
        offsets, offset = [], 0.0
        for previous, name in zip([None, *column], column, strict=False):
            if previous is not None:
                offset += (self.height[previous] + self.height[name]) / 2 + ROW_GAP
            offsets.append(offset)
        settled = rising([wish - offset for wish, offset in zip(wishes, offsets, strict=True)])
        return {name: value + offset for name, value, offset in zip(column, settled, offsets, strict=True)}


def rising(values: Sequence[float]) -> list[float]:
    """The non-decreasing numbers nearest to `values` (least squares, pool adjacent violators)."""
    pools: list[tuple[float, int]] = []
    for value in values:
        total, count = value, 1
        while pools and pools[-1][0] / pools[-1][1] > total / count:
            above, size = pools.pop()
            total, count = total + above, count + size
        pools.append((total, count))
    return [total / count for total, count in pools for _ in range(count)]


def _mean(values: Sequence[float], otherwise: float) -> float:
    return sum(values) / len(values) if values else otherwise


def _inversions(values: Sequence[int]) -> int:
    """How many pairs are out of order: the crossings between two columns. Merge sort, O(n log n)."""
    if len(values) < 2:
        return 0
    half = len(values) // 2
    left, right = list(values[:half]), list(values[half:])
    total = _inversions(left) + _inversions(right)
    left.sort()
    right.sort()
    position = 0
    for value in right:
        while position < len(left) and left[position] <= value:
            position += 1
        total += len(left) - position
    return total
