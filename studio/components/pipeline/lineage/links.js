// Who is above and below whom, among cards or among columns: lineage of one, and neighbours for the arrow keys.

export class Links {
  constructor(pairs) {
    this.after = new Map();
    this.before = new Map();
    for (const [source, target] of pairs) {
      put(this.after, source, target);
      put(this.before, target, source);
    }
  }

  lineage(name) {
    const found = new Set([name]);
    for (const near of [this.after, this.before]) {
      const queue = [name];
      while (queue.length) {
        for (const other of near.get(queue.pop()) ?? []) {
          if (!found.has(other)) { found.add(other); queue.push(other); }
        }
      }
    }
    return found;
  }
}

const put = (map, key, value) => {
  const known = map.get(key);
  if (known) known.push(value);
  else map.set(key, [value]);
};

// The card that an arrow key leads to: along an edge in the direction of flow, or to a sister card across it.
export const stepFrom = (here, key, { places, byName, links, way }) => {
  const down = way === "down", flow = down ? "y" : "x", side = down ? "x" : "y";
  const near = (list) => [...list].sort((a, b) => Math.abs(a[side] - here[side]) - Math.abs(b[side] - here[side]))[0];
  const cards = (names) => (names ?? []).map((other) => byName.get(other)).filter(Boolean);
  const beside = () => places.filter((card) => Math.abs(card[flow] - here[flow]) < 40 && card !== here);
  const [on, back, next, last] = down ? ["ArrowDown", "ArrowUp", "ArrowRight", "ArrowLeft"] : ["ArrowRight", "ArrowLeft", "ArrowDown", "ArrowUp"];
  if (key === on) return near(cards(links.after.get(here.name)));
  if (key === back) return near(cards(links.before.get(here.name)));
  if (key === next) return near(beside().filter((card) => card[side] > here[side]));
  if (key === last) return near(beside().filter((card) => card[side] < here[side]));
  return undefined;
};
