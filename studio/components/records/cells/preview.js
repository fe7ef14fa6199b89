// Before anything is saved: every value as it was and as it will be, why, and one press.

import { make, press } from "../../dom.js";
import { NONE } from "./kinds.js";

const MOST = 200;

export class Preview {
  constructor(save) {
    this.save = save;
    this.element = make("dialog", "preview");
    this.element.setAttribute("aria-label", "Save corrections");
    this.element.onkeydown = (event) => event.stopPropagation();
  }

  open(changes) {
    const all = [...changes.values()], records = new Set(all.map(({ key }) => key)).size;
    const count = (many, noun) => `${many.toLocaleString("en")} ${noun}${many === 1 ? "" : "s"}`;
    const why = make("input"), form = make("form"), foot = make("div", "row");
    why.placeholder = "So that others understand";
    why.setAttribute("aria-label", "Why (optional)");
    const go = press("Save now", "", null, "main-act");
    go.type = "submit";
    foot.append(press("Cancel", "", () => this.element.close(), "quiet"), go);
    const label = make("label", "", "Why (optional)");
    label.append(why);
    form.append(label, make("p", "quiet", "Your values win over every computation from now on. Each can be undone in its record."), foot);
    form.onsubmit = (event) => {
      event.preventDefault();
      this.element.close();
      this.save(why.value.trim());
    };
    const more = all.length > MOST ? [make("p", "quiet", `The first ${MOST} are shown.`)] : [];
    this.element.replaceChildren(make("h2", "", "Save corrections"), make("p", "", `${count(all.length, "value")} in ${count(records, "record")}`), lines(all.slice(0, MOST)), ...more, form);
    this.element.showModal();
    why.focus();
  }
}

const lines = (all) => {
  const box = make("div", "lines"), table = make("table"), head = make("tr"), body = make("tbody"), top = make("thead");
  box.tabIndex = 0;
  box.setAttribute("role", "group");
  box.setAttribute("aria-label", "What will be saved");
  for (const name of ["Record", "Column", "Was", "Will be"]) head.append(make("th", "", name));
  top.append(head);
  for (const { key, column, was, now, parts } of all) {
    const line = make("tr"), after = make("td", now === null ? "none" : "", parts ? undefined : now ?? NONE);
    if (parts) after.append(...parts.map(({ kind, text }) => make({ same: "span", gone: "del", new: "ins" }[kind], "", text)));
    line.append(make("td", "", key), make("td", "", column), make("td", was === null ? "none" : "", was ?? NONE), after);
    body.append(line);
  }
  table.append(top, body);
  box.append(table);
  return box;
};
