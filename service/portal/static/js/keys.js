// `/` search, `?` the sheet of keys, `g` and a letter: the ways of the masthead (data-go="g f").
const PAUSE_MS = 1200; // how long `g` waits for its letter

export function isTyping(event) {
  return event.ctrlKey || event.metaKey || event.altKey || event.isComposing
    || event.target.closest("input:not([type=checkbox]):not([type=radio]), textarea, select, dialog, [contenteditable]") !== null;
}

export function listenForKeys() {
  const sheet = document.getElementById("keys");
  const button = document.querySelector("[data-keys-sheet]");
  if (button && sheet) {
    button.hidden = false;
    button.addEventListener("click", () => sheet.showModal());
  }
  let first = "";
  let pressedAt = 0;
  document.addEventListener("keydown", (event) => {
    if (isTyping(event)) return;
    const chord = performance.now() - pressedAt < PAUSE_MS ? `${first} ${event.key}` : "";
    const way = chord && document.querySelector(`[data-go="${CSS.escape(chord)}"]`);
    first = event.key === "g" ? "g" : "";
    pressedAt = performance.now();
    if (way) {
      event.preventDefault();
      event.stopImmediatePropagation();
      way.click();
    } else if (event.key === "/") {
      const search = document.querySelector("[data-search]");
      if (!search) return;
      event.preventDefault();
      search.focus();
      search.select();
    } else if (event.key === "?" && sheet) {
      event.preventDefault();
      sheet.showModal();
    }
  }, { capture: true }); // before the keys of a page: in `g w` the `w` is not the page's “watch”
}
