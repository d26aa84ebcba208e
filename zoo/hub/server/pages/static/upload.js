// Send files by the Hub's API: large ones in parts, of which those that have come stay when the connection breaks.
"use strict";
(() => {
  const PART = 8 << 20, SMALL_BATCH = 200, TRIES = 6, MOST_PARTS = 9000;
  const form = document.querySelector("form.upload");
  const { api, lfs, branch, key, hashing, done } = form.dataset;
  const [list, told, send, resume, input, drop] = ["ul", ".told", ".send", ".resume", "#files", ".drop"].map((name) => form.querySelector(name));
  const files = new Map();  // by path
  let busy = false;

  class Refused extends Error {}  // an answer of the Hub: to try again would change nothing

  const tell = (text) => { told.textContent = text; };
  const sleep = (time) => new Promise((wake) => {
    setTimeout(wake, time);
    addEventListener("online", wake, { once: true });
  });

  async function ask(url, options) {
    for (let turn = 0; ; turn++) {
      try {
        const answer = await fetch(url, options);
        if (answer.status < 500 && answer.status !== 408 && answer.status !== 429) {
          if (answer.ok) return answer;
          throw new Refused((await answer.json().catch(() => ({}))).error || `the Hub answers ${answer.status}`);
        }
      } catch (error) {
        if (error instanceof Refused) throw error;
      }
      if (turn + 1 === TRIES) throw new Error("the connection is lost");
      tell("The connection is lost; trying again…");
      await sleep(Math.min(500 * 2 ** turn, 8000));
    }
  }
  const post = async (url, value) => (await ask(url, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-Form-Key": key },
    body: typeof value === "string" ? value : JSON.stringify(value),
  })).json();

  function show() {
    list.replaceChildren(...Array.from(files.values(), (item) => item.row));
    send.disabled = busy || !files.size;
  }

  function add(path, file) {
    const row = document.createElement("li");
    const name = row.appendChild(document.createElement("span"));
    const bar = row.appendChild(document.createElement("progress"));
    const remove = row.appendChild(document.createElement("button"));
    name.textContent = path;
    bar.max = Math.max(1, 2 * file.size);  // hashed and sent
    bar.value = 0;
    bar.setAttribute("aria-label", path);
    remove.type = "button";
    remove.textContent = "Remove";
    remove.setAttribute("aria-label", `Remove ${path}`);
    remove.addEventListener("click", () => { files.delete(path); show(); });
    files.set(path, { file, row, bar, remove });
  }

  async function walk(entry, prefix) {
    if (entry.isFile) {
      add(prefix + entry.name, await new Promise((good, bad) => entry.file(good, bad)));
      return;
    }
    const reader = entry.createReader();
    for (let some; (some = await new Promise((good, bad) => reader.readEntries(good, bad))).length;) {
      for (const inner of some) await walk(inner, `${prefix}${entry.name}/`);
    }
  }

  input.addEventListener("change", () => {
    for (const file of input.files) add(file.name, file);
    input.value = "";
    show();
  });
  for (const name of ["dragover", "dragleave", "drop"]) {
    drop.addEventListener(name, (event) => { event.preventDefault(); drop.classList.toggle("over", name === "dragover"); });
  }
  drop.addEventListener("drop", async (event) => {
    if (busy) return;
    const entries = Array.from(event.dataTransfer.items, (item) => item.webkitGetAsEntry && item.webkitGetAsEntry()).filter(Boolean);
    try {
      for (const entry of entries) await walk(entry, "");
    } catch (error) {
      tell(`Not all could be read: ${error.message}`);
    }
    show();
  });

  const hash = (item) => new Promise((good, bad) => {
    const worker = new Worker(hashing);
    worker.onmessage = ({ data }) => {
      if (data.done) item.bar.value = data.done;
      if (data.sha256) { worker.terminate(); good(data.sha256); }
      if (data.error) { worker.terminate(); bad(new Error(data.error)); }
    };
    worker.onerror = () => { worker.terminate(); bad(new Error("the file cannot be hashed")); };
    worker.postMessage(item.file);
  });

  // What was begun is remembered until the tab is closed, so that a page that is loaded again goes on with it.
  const note = (item) => `upload ${api} ${item.oid} ${item.file.size}`;
  const remember = (item) => { try { sessionStorage.setItem(note(item), JSON.stringify(item.begun)); } catch { /* full */ } };
  const recall = (item) => { try { return JSON.parse(sessionStorage.getItem(note(item))); } catch { return null; } };

  async function begin(item) {
    const part_size = Math.max(PART, Math.ceil(item.file.size / MOST_PARTS));
    const wanted = { operation: "upload", transfers: ["basic", "multipart"], part_size, objects: [{ oid: item.oid, size: item.file.size }] };
    const [object] = (await post(`${lfs}/objects/batch`, wanted)).objects;
    if (object.error) throw new Refused(object.error.message);
    return { upload: object.actions ? object.actions.upload : null, etags: {} };  // none: the repo has it
  }

  async function bring(path, item, again = true) {
    item.oid ||= await hash(item);
    item.begun ||= recall(item) || await begin(item);
    const { upload, etags } = item.begun;
    if (!upload) return;
    const size = Number(upload.header.chunk_size || 0);
    try {
      if (!size) await ask(upload.href, { method: "PUT", body: item.file });
      for (let number = 1; size && (number - 1) * size < item.file.size; number++) {
        if (!etags[number]) {
          tell(`Sending ${path}`);
          const piece = item.file.slice((number - 1) * size, number * size);
          etags[number] = (await ask(upload.header[number], { method: "PUT", body: piece })).headers.get("etag");
          remember(item);
        }
        item.bar.value = item.file.size + Math.min(number * size, item.file.size);
      }
      const parts = Object.entries(etags).map(([number, etag]) => ({ partNumber: Number(number), etag }));
      if (size) await ask(upload.href, { method: "POST", body: JSON.stringify({ oid: item.oid, parts }), headers: { "Content-Type": "application/json" } });
    } catch (error) {
      if (!(error instanceof Refused) || !again) throw error;
      sessionStorage.removeItem(note(item));  // the Hub knows no more of it: once more, from its beginning
      item.begun = null;
      await bring(path, item, false);
      return;
    }
    sessionStorage.removeItem(note(item));
  }

  const inline = (file) => new Promise((good, bad) => {
    const reader = new FileReader();
    reader.onload = () => good(reader.result.slice(reader.result.indexOf(",") + 1));
    reader.onerror = () => bad(new Error("the file cannot be read"));
    reader.readAsDataURL(file);
  });

  async function ways(paths) {
    const found = new Map();
    for (let at = 0; at < paths.length; at += SMALL_BATCH) {
      const some = paths.slice(at, at + SMALL_BATCH).map((path) => ({ path: place(path), size: files.get(path).file.size, sample: "" }));
      for (const { path, uploadMode } of (await post(`${api}/preupload/${branch}`, { files: some })).files) found.set(path, uploadMode);
    }
    return found;
  }
  const place = (path) => {
    const folder = form.folder.value.trim().replace(/^\/+|\/+$/g, "");
    return folder ? `${folder}/${path}` : path;
  };

  async function run() {
    busy = true;
    resume.hidden = true;
    for (const control of form.elements) control.disabled = control !== resume;
    try {
      const paths = [...files.keys()], found = await ways(paths);
      const lines = [{ key: "header", value: { summary: form.summary.value.trim() || "Upload files", description: "" } }];
      for (const path of paths) {
        const item = files.get(path), name = place(path);
        if (found.get(name) === "lfs") {
          tell(`Reading ${path}`);
          await bring(path, item);
          lines.push({ key: "lfsFile", value: { path: name, algo: "sha256", oid: item.oid, size: item.file.size } });
        } else {
          lines.push({ key: "file", value: { path: name, content: await inline(item.file), encoding: "base64" } });
        }
        item.bar.value = item.bar.max;
      }
      tell("Making the commit");
      const { commitOid } = await post(`${api}/commit/${branch}`, lines.map((line) => JSON.stringify(line)).join("\n"));
      location.assign(done + commitOid);
    } catch (error) {
      for (const control of form.elements) control.disabled = false;
      tell(`Not done: ${error.message}. What has come stays.`);
      resume.hidden = error instanceof Refused;
      busy = false;
      show();
    }
  }
  form.addEventListener("submit", (event) => { event.preventDefault(); if (!busy && files.size) run(); });
  resume.addEventListener("click", run);
  addEventListener("beforeunload", (event) => { if (busy && !told.textContent.startsWith("Making")) event.preventDefault(); });
})();
