// The Runs page: the list of runs, and one run's assets on a time line. Messages are not trusted: textContent only.

import { make, press, stretch, visit } from "../../dom.js";

export default function ({ parentElement, data, setTriggerValue }) {
  const root = parentElement.querySelector(".runs"), content = JSON.stringify(data);
  if (root.shows === content) return undefined;
  root.shows = content;
  if (!root.unstretch) root.unstretch = stretch(root, 320);
  const send = (event) => setTriggerValue("event", event);
  const top = root.querySelector(".list")?.scrollTop ?? 0, focused = root.getRootNode().activeElement?.dataset?.run;
  root.replaceChildren(list(data, send), data.chosen ? detail(data.chosen) : make("div", "none", data.nothing));
  root.querySelector(".list").scrollTop = top;
  if (focused) [...root.querySelectorAll("[data-run]")].find((line) => line.dataset.run === focused)?.focus();
  return () => { root.unstretch?.(); root.unstretch = null; root.shows = null; };
}

const list = ({ runs, chosen }, send) => {
  const box = make("nav", "list");
  box.setAttribute("aria-label", "Runs, newest first");
  for (const run of runs) {
    const line = press("", "", () => send({ run: run.id }), "run"), head = make("span", "head");
    line.dataset.run = run.id;
    line.dataset.tone = run.tone;
    line.setAttribute("aria-current", String(run.id === chosen?.id));
    head.append(make("b", "", run.title), make("time", "", run.when));
    line.append(head, make("span", "line", run.line));
    box.append(line);
  }
  box.onkeydown = (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key], lines = [...box.children], here = lines.indexOf(event.target.closest(".run"));
    if (!step || here < 0) return;
    event.preventDefault();
    lines[here + step]?.focus();
  };
  return box;
};

const detail = (run) => {
  const box = make("section", "detail"), facts = make("dl", "facts");
  box.setAttribute("aria-label", "The chosen run");
  for (const { label, value, tone } of run.facts) {
    const fact = make("div", tone);
    fact.append(make("dt", "", label), make("dd", "", value));
    facts.append(fact);
  }
  box.append(facts);
  for (const message of run.messages) box.append(make("p", "message", message));
  box.append(table(run));
  if (run.failures.length) box.append(make("h3", "", "Records that fail"), ...run.failures.map(failure));
  if (run.log.length) box.append(make("h3", "", "Log"), log(run.log));
  return box;
};

// One way of failing, and the records that do: each opens, and can be traced.
const failure = (one) => {
  const box = make("div", "failure"), head = make("div", "why"), keys = make("div", "keys");
  head.append(make("b", "", `${one.count.toLocaleString("en")} of ${one.asset}`), make("span", "", one.error));
  for (const key of one.keys) {
    if (one.records) keys.append(press(key, `Open ${key} of ${one.asset}`, () => visit("records", { asset: one.asset, key }), "link"));
    else keys.append(make("span", "", key));
  }
  if (one.count > one.keys.length && one.records) keys.append(press(`all ${one.count.toLocaleString("en")}`, `Open the failed records of ${one.asset}`, () => visit("records", { asset: one.asset, only: "failed" }), "link"));
  box.append(head, keys);
  return box;
};

const log = (lines) => {
  const box = make("ol", "log");
  for (const { at, asset, text, tone } of lines) {
    const line = make("li", tone);
    line.append(make("time", "", at), make("b", "", asset), make("span", "", text));
    box.append(line);
  }
  return box;
};

const HEADS = [["Took", "took"], ["Planned", "expected"], ["Due", "read"], ["Computed", "computed"], ["Changed", "changed"], ["Deleted", "deleted"], ["Failed", "failed"]];

// A column that says nothing of any asset is left out.
const table = (run) => {
  const box = make("table"), head = make("tr"), body = make("tbody"), top = make("thead");
  const heads = HEADS.filter(([, name]) => run.parts.some((part) => part[name]));
  for (const text of ["Asset", "", ...heads.map(([title]) => title)]) {
    const cell = make("th", "", text);
    cell.scope = "col";
    if (!text) cell.append(make("span", "unseen", "When"));
    head.append(cell);
  }
  top.append(head);
  for (const part of run.parts) body.append(...row(part, heads.map(([, name]) => name)));
  box.append(make("caption", "unseen", "What the run did to each asset"), top, body);
  return box;
};

const row = (part, names) => {
  const line = make("tr"), first = make("th"), track = make("td", "track"), bar = make("i");
  line.dataset.tone = part.tone;
  first.scope = "row";
  first.append(press(part.asset, `Open ${part.asset} in the pipeline`, () => visit("pipeline", { asset: part.asset }), "link"), make("em", "", part.state));
  bar.style.left = `${part.start * 100}%`;
  bar.style.width = `max(3px, ${part.length * 100}%)`;
  track.append(bar);
  line.append(first, track);
  for (const name of names) {
    const cell = make("td", "", name === "failed" ? "" : part[name]);
    if (name === "failed" && part.failed) cell.append(press(part.failed, `Open the failed records of ${part.asset}`, () => visit("records", { asset: part.asset, only: "failed" }), "bad"));
    line.append(cell);
  }
  if (!part.message) return [line];
  const more = make("tr", "more"), cell = make("td", "", part.message);
  cell.colSpan = names.length + 2;
  more.append(cell);
  return [line, more];
};
