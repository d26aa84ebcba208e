// A button on every block that is there to be pasted. Without this script the page lacks nothing else.
for (const block of document.querySelectorAll("pre.copy")) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "copy-button";
  button.textContent = "Copy";
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(block.querySelector("code").textContent);
    button.textContent = "Copied";
    setTimeout(() => { button.textContent = "Copy"; }, 1500);
  });
  block.append(button);
}
// What scrolls inside a card can be reached by keyboard.
for (const block of document.querySelectorAll(".card pre, .card table")) {
  if (block.scrollWidth > block.clientWidth) block.tabIndex = 0;
}
for (const select of document.querySelectorAll(".filters select")) {
  select.addEventListener("change", () => select.form.submit());
}
document.addEventListener("keydown", (event) => {
  if (event.key === "/" && !/^(INPUT|SELECT|TEXTAREA)$/.test(document.activeElement.tagName)) {
    event.preventDefault();
    document.querySelector(".find input").focus();
  }
});
