// Show the parts of an answer. What comes is text: nothing of it is ever read as HTML.

export function element(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

function bytes(base64) {
  return Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
}

function titled(title, ...children) {
  return element("div", {}, ...(title ? [element("h3", { textContent: title })] : []), ...children);
}

function bars({ title, rows }) {
  const list = element("div", { className: "bars" });
  rows.forEach(([name, share, note], place) => {
    const filled = element("div", { className: "bar" });
    filled.style.width = `${100 * share}%`;
    const row = element(
      "div", {},
      element("span", { className: place ? "name" : "name first", textContent: name }),
      element("span", { className: "track", ariaHidden: "true" }, filled),
      element("span", { className: "share", textContent: `${(100 * share).toFixed(1)} %` }),
    );
    if (note) row.append(element("span", { className: "note", textContent: note }));
    list.append(row);
  });
  return titled(title, list);
}

function table({ title, columns, rows }) {
  const made = element("table");
  if (columns.length) {
    made.createTHead().append(element("tr", {}, ...columns.map((name) => element("th", { scope: "col", textContent: name }))));
  }
  const body = made.createTBody();
  for (const row of rows) {
    body.append(element("tr", {}, ...row.map((cell, place) =>
      columns.length || place || row.length === 1 ? element("td", { textContent: cell }) : element("th", { scope: "row", textContent: cell }))));
  }
  return titled(title, element("div", { className: "scroll", tabIndex: 0 }, made));
}

function matrix({ title, names, values }) {
  const made = element("table", { className: "matrix" });
  const short = (name) => (name.length > 40 ? `${name.slice(0, 39)}…` : name);
  made.createTHead().append(element("tr", {}, element("td"), ...names.map((name, place) => element("th", { scope: "col", textContent: place + 1, title: name }))));
  const body = made.createTBody();
  values.forEach((row, place) => {
    const cells = row.map((value) => {
      const cell = element("td", { textContent: value.toFixed(2) });
      const [hue, strength] = value < 0 ? ["230, 120, 20", -value] : ["58, 120, 189", value];
      cell.style.background = `rgba(${hue}, ${(0.6 * strength).toFixed(3)})`;
      return cell;
    });
    body.append(element("tr", {}, element("th", { scope: "row", textContent: `${place + 1}  ${short(names[place])}`, title: names[place] }), ...cells));
  });
  return titled(title, element("div", { className: "scroll", tabIndex: 0 }, made));
}

function picture({ data, says }) {
  const shown = element("img", { alt: says });
  shown.addEventListener("load", () => shown.classList.toggle("small", shown.naturalWidth < 200));
  shown.src = URL.createObjectURL(new Blob([bytes(data)], { type: "image/png" }));
  return element("figure", {}, shown);
}

function file({ name, data }) {
  const href = URL.createObjectURL(new Blob([bytes(data)], { type: "application/octet-stream" }));
  return element("p", {}, element("a", { href, download: name, textContent: `Save ${name}` }));
}

const kinds = {
  bars, table, matrix, picture, file,
  text: ({ title, text }) => titled(title, element("p", { className: "text", textContent: text })),
  heading: ({ text }) => element("h2", { textContent: text }),
  error: ({ text }) => element("p", { className: "error", textContent: text, role: "alert" }),
};

export class Answer {
  constructor(place, status) {
    this.place = place;
    this.status = status;
    this.written = null; // the text that goes on with the next piece
    this.any = false;
    place.replaceChildren();
  }

  add(part) {
    if (part.kind === "waiting") this.status.textContent = "Another question is computed first …";
    else if (part.kind === "done") this.done(part.seconds);
    else if (part.kind === "text" && !part.title && this.written) this.written.append(part.text);
    else {
      const made = kinds[part.kind](part);
      this.place.append(made);
      this.written = part.kind === "text" && !part.title ? made.querySelector(".text") : null;
      this.any = true;
    }
  }

  done(seconds) {
    if (!this.any) this.place.append(element("p", { className: "status", textContent: "The answer is empty." }));
    this.status.textContent = `${seconds < 10 ? seconds.toFixed(2) : seconds.toFixed(0)} s`;
  }
}
