// What the colours mean. A line can be held: then its records alone stand out.

import { make } from "../../dom.js";
import { colourOf, css, rampCss } from "./plot.js";

export class Legend {
  constructor(changed) {
    this.element = make("div", "legend");
    this.element.setAttribute("role", "group");
    this.only = null;
    this.changed = changed;
  }

  fill(data, ink) {
    if (this.paint !== data.paint) this.only = null;
    this.paint = data.paint;
    this.element.hidden = data.scale === "none";
    this.element.setAttribute("aria-label", `Colours of ${data.color}`);
    const parts = [make("strong", "", data.color)];
    if (data.scale === "range" && data.low) {
      const ramp = make("div", "ramp"), ends = make("div", "ends");
      ramp.style.background = rampCss();
      ends.append(make("span", "", data.low), make("span", "", data.high));
      parts.push(ramp, ends);
    }
    for (const { label, code, count } of data.legend) {
      const line = make("button");
      line.type = "button";
      line.style.setProperty("--dot", css(colourOf(data.scale, code, ink)));
      line.append(make("span", "", label), make("em", "", count.toLocaleString("en")));
      line.setAttribute("aria-pressed", String(this.only === code));
      line.title = "Only these stand out";
      line.onclick = () => {
        this.only = this.only === code ? null : code;
        this.fill(data, ink);
        this.changed();
      };
      parts.push(line);
    }
    this.element.replaceChildren(...parts);
  }
}
