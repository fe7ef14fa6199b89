// What fails, asset by asset: each file and record by name below its reason, the way to it, and the command that lists it.

import { copying, make, press, visit } from "../../dom.js";

const FIRST_NAMES = 12;
const FIRST_WAYS = 8;

export const failures = (run) => [make("h3", "", `Failing now: ${run.failed}`), ...run.failing.map(group)];

export const jumpTo = (from, asset) => {
  const found = [...from.closest(".detail").querySelectorAll(".group")].find((each) => each.dataset.asset === asset);
  found.scrollIntoView({ block: "start" });
  found.focus();
};

const group = (one) => {
  const box = make("section", "group"), top = make("div", "top");
  box.dataset.asset = one.asset;
  box.tabIndex = -1;
  box.setAttribute("aria-label", one.title);
  top.append(make("b", "wrong", one.title));
  if (one.since) top.append(make("em", "", one.since));
  top.append(make("span", "space"));
  if (one.listed) top.append(press("Open in Records", `Open the ${one.title} that fail`, () => visit("records", { asset: one.listed, only: "failed" }), "do"));
  else if (!one.opens) top.append(press("Open in Pipeline", `Open ${one.asset} in the pipeline`, () => visit("pipeline", { asset: one.asset }), "do"));
  top.append(copying(one.command));
  box.append(top);
  some(box, one.ways, FIRST_WAYS, (each) => way(one, each), "reason");
  const shown = one.ways.reduce((sum, each) => sum + each.count, 0);
  if (shown < one.count) box.append(make("p", "about", `The first ${shown.toLocaleString("en")} are listed here.`));
  return box;
};

const way = (one, { error, failed }) => {
  const box = make("div", "way"), list = make("div", "names");
  box.append(make("p", "", error), list);
  some(list, failed, FIRST_NAMES, ({ key, name }) => (one.opens
    ? press(name, `Open ${name} of ${one.opens}`, () => visit("records", { asset: one.opens, key }), "link")
    : press(name, `${name} is read by ${one.asset}: open that in the pipeline`, () => visit("pipeline", { asset: one.asset }), "link")), one.unit);
  return box;
};

// The first few, and the rest at a press.
const some = (box, items, most, drawn, noun) => {
  box.append(...items.slice(0, most).map(drawn));
  const left = items.length - most;
  if (left <= 0) return;
  const words = `${left.toLocaleString("en")} more ${noun}${left === 1 ? "" : "s"}`;
  const rest = press(words, "", () => rest.replaceWith(...items.slice(most).map(drawn)), "rest");
  box.append(rest);
};
