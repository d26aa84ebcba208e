// The page of `zoo try`: fields of one way to ask, files that are dropped or pasted, and an answer that streams.
import { Answer, element } from "./answer.js";

const MOST_BYTES = 64 * 1024 * 1024;
const [notice, tabs, form, place] = ["notice", "ways", "question", "answer"].map((id) => document.getElementById(id));
const kept = new Map(); // what was given in each way
let running = null;

function say(text) {
  notice.textContent = text;
  notice.hidden = !text;
}

function headers(more = {}) {
  return { Authorization: `Bearer ${location.hash.slice(1)}`, ...more };
}

function control(field) {
  const common = { id: `field-${field.name}`, name: field.name };
  const hint = field.hint ? element("span", { className: "hint", textContent: ` ${field.hint}` }) : "";
  const label = element("label", { htmlFor: common.id }, field.label, hint);
  let input;
  if (field.kind === "files") return filesControl(field, common);
  if (field.kind === "text") input = element("textarea", { ...common, value: field.value ?? "", spellcheck: false });
  else if (field.kind === "choice") {
    input = element("select", common, element("option", { value: "", textContent: "—" }), ...field.choices.map((name) => element("option", { value: name, textContent: name })));
  } else if (field.kind === "flag") {
    input = element("input", { ...common, type: "checkbox" });
    return element("div", {}, element("label", { htmlFor: common.id }, input, ` ${field.label}`, hint));
  } else {
    const number = field.kind !== "word";
    input = element("input", { ...common, type: number ? "number" : "text", value: field.value ?? "" });
    if (number) input.step = field.kind === "integer" ? "1" : "any";
  }
  return element("div", {}, label, input);
}

function filesControl(field, common) {
  const input = element("input", { ...common, type: "file", multiple: true, accept: field.suffixes.join(",") });
  const given = element("div", { className: "given" });
  const box = element("div", { className: "drop" },
    element("label", { htmlFor: common.id }, field.label, element("span", { className: "hint", textContent: " choose, drop here, or paste" })), input, given);
  const show = () => {
    given.replaceChildren(...[...input.files].map((file) => {
      const caption = element("figcaption", { textContent: file.name });
      const url = () => URL.createObjectURL(file);
      if (file.type.startsWith("image/")) return element("figure", {}, element("img", { src: url(), alt: "" }), caption);
      if (file.type.startsWith("audio/")) return element("figure", {}, element("audio", { src: url(), controls: true }), caption);
      return element("figure", {}, caption);
    }));
  };
  const take = (files) => {
    if (!files.length) return;
    input.files = files;
    show();
    form.requestSubmit();
  };
  input.addEventListener("change", () => { show(); if (input.files.length) form.requestSubmit(); });
  for (const kind of ["dragover", "dragleave", "drop"]) {
    box.addEventListener(kind, (event) => {
      event.preventDefault();
      box.classList.toggle("over", kind === "dragover");
      if (kind === "drop") take(event.dataTransfer.files);
    });
  }
  box.take = take;
  return box;
}

function show(way) {
  running?.abort();
  for (const button of tabs.children) button.setAttribute("aria-pressed", String(button.dataset.way === way.name));
  if (!kept.has(way.name)) kept.set(way.name, fieldsOf(way));
  const fields = kept.get(way.name);
  form.replaceChildren(...fields);
  form.onsubmit = (event) => { event.preventDefault(); ask(way); };
  place.replaceChildren();
  form.hidden = false;
}

function fieldsOf(way) {
  const made = way.fields.filter((field) => !field.more).map(control);
  const more = way.fields.filter((field) => field.more);
  if (more.length) {
    made.push(element("details", {}, element("summary", { textContent: "Options" }), element("div", { className: "more" }, ...more.map(control))));
  }
  const status = element("span", { className: "status", role: "status" });
  const stop = element("button", { type: "button", textContent: "Stop", hidden: true });
  stop.addEventListener("click", () => running?.abort());
  made.push(element("div", { className: "buttons" }, element("button", { className: "main", textContent: way.title }), stop, status));
  return made;
}

function question(way) {
  const values = {}, files = [];
  for (const field of way.fields) {
    const input = form.elements[field.name];
    if (field.kind === "files") files.push(...input.files);
    else if (field.kind === "flag") values[field.name] = input.checked;
    else if (field.kind === "integer" || field.kind === "number") {
      if (input.value !== "") values[field.name] = Number(input.value);
    } else if (input.value !== "") values[field.name] = input.value;
  }
  const listed = files.map((file) => ({ name: file.name, bytes: file.size }));
  return new Blob([`${JSON.stringify({ values, files: listed })}\n`, ...files]);
}

async function ask(way) {
  running?.abort();
  const mine = (running = new AbortController());
  const [main, stop, status] = form.querySelector(".buttons").children;
  const answer = new Answer(place, status);
  status.textContent = "Computing …";
  stop.hidden = false;
  try {
    const body = question(way);
    if (body.size > MOST_BYTES) throw new Error("Give at most 64 MB at once; `zoo predict` takes more.");
    const answered = await fetch(`/ask/${way.name}`, { method: "POST", body, headers: headers({ "Content-Type": "application/x-zoo-question" }), signal: mine.signal });
    if (!answered.ok) throw new Error((await answered.json()).error);
    await read(answered.body, (part) => {
      if (part.kind === "error") status.textContent = "";
      answer.add(part);
    });
    if (status.textContent.endsWith("…")) status.textContent = "";
  } catch (error) {
    status.textContent = mine.signal.aborted ? "Stopped." : "";
    if (!mine.signal.aborted) {
      const gone = error instanceof TypeError;
      answer.add({ kind: "error", text: gone ? "Nobody answers: has `zoo try` been stopped?" : error.message });
    }
  } finally {
    stop.hidden = true;
    if (running === mine) running = null;
  }
}

async function read(stream, take) {
  const reader = stream.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const lines = (rest + value).split("\n");
    rest = lines.pop();
    for (const line of lines) take(JSON.parse(line));
  }
}

async function start() {
  const answered = await fetch("/about", { headers: headers() });
  const about = await answered.json();
  if (!answered.ok) return say(about.error);
  document.title = `${about.weights} · zoo try`;
  document.getElementById("weights").textContent = about.weights;
  document.getElementById("facts").replaceChildren(...[about.architecture, about.task].map((text) => element("span", { textContent: text })));
  tabs.replaceChildren(...about.ways.map((way) => {
    const button = element("button", { type: "button", textContent: way.title });
    button.dataset.way = way.name;
    button.addEventListener("click", () => show(way));
    return button;
  }));
  tabs.hidden = about.ways.length < 2;
  document.addEventListener("paste", (event) => form.querySelector(".drop")?.take(event.clipboardData.files));
  show(about.ways[0]);
}

start().catch(() => say("Nobody answers: has `zoo try` been stopped?"));
addEventListener("hashchange", () => location.reload());
