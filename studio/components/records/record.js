// Every field of one record. All of it is data of the project, so it goes in by textContent only.

import { make } from "../dom.js";

export default function ({ parentElement, data, setTriggerValue }) {
  const root = parentElement.querySelector(".sheet");
  const content = JSON.stringify(data);
  if (root.shows === content) return;
  root.shows = content;
  root.replaceChildren(...data.fields.map((field) => line(field, data.refused, (id) => setTriggerValue("undo", { id }))));
}

function line(field, refused, undo) {
  const box = make("section", "field"), head = make("div", "head");
  box.dataset.field = field.name;
  head.append(make("span", "name", field.name), make("span", "note", field.note));
  box.append(head, make("div", field.empty ? "value empty" : "value", field.value));
  if (field.error) box.append(make("div", "error", field.error));
  if (field.correction) box.append(said(field, refused, undo));
  if (field.outdated) box.append(make("div", "outdated", field.outdated));
  return box;
}

function said(field, refused, undo) {
  const box = make("div", "said"), row = make("div", "row"), button = make("button", "", "Undo");
  button.type = "button";
  button.setAttribute("aria-label", `Undo the correction of ${field.name}`);
  button.disabled = Boolean(refused);
  button.title = refused;
  button.onclick = () => { button.disabled = true; undo(field.correction); };
  row.append(make("span", "", `Corrected by ${field.corrected}`), button);
  box.append(row);
  if (field.computed) {
    const was = make("p", "", "computed: ");
    was.append(make("s", "", field.computed));
    box.append(was);
  }
  if (field.why) box.append(make("p", "", `why: ${field.why}`));
  return box;
}
