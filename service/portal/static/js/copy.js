// Copy buttons: <button data-copy="text" data-copied="word shown for a moment" hidden>.
const SHOWN_MS = 1600;

export function offerCopying() {
  if (!navigator.clipboard) return; // no secure context: the buttons stay hidden
  for (const button of document.querySelectorAll("[data-copy]")) {
    const word = button.textContent;
    button.hidden = false;
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(button.dataset.copy);
      button.textContent = button.dataset.copied;
      setTimeout(() => { button.textContent = word; }, SHOWN_MS);
    });
  }
}
