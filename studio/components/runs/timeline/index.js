// The Runs page: the list of runs, and one run in full. Messages are not trusted: textContent only.

import { make, stretch } from "../../dom.js";
import { runList } from "./list.js";
import { runSheet } from "./sheet.js";

export default function ({ parentElement, data, setTriggerValue }) {
  const root = parentElement.querySelector(".runs"), content = JSON.stringify(data);
  if (root.shows === content) return undefined;
  const other = root.run !== data.chosen?.id;
  root.shows = content;
  root.run = data.chosen?.id;
  if (!root.unstretch) root.unstretch = stretch(root, 320);
  const send = (event) => setTriggerValue("event", event);
  const scrolled = [".list", ".detail"].map((name) => root.querySelector(name)?.scrollTop ?? 0);
  const focused = root.getRootNode().activeElement?.dataset?.run;
  root.replaceChildren(runList(data, send), data.chosen ? runSheet(data.chosen) : make("div", "none", data.nothing));
  root.querySelector(".list").scrollTop = scrolled[0];
  if (data.chosen && !other) root.querySelector(".detail").scrollTop = scrolled[1];
  if (focused) [...root.querySelectorAll("[data-run]")].find((line) => line.dataset.run === focused)?.focus();
  else if (other) root.querySelector('.list [aria-current="true"]')?.scrollIntoView({ block: "nearest" });
  return () => { root.unstretch?.(); root.unstretch = null; root.shows = null; };
}
