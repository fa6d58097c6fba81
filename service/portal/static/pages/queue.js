// The review queue by keyboard: j k move, x choose, Enter and c open, d dismiss, w watch, u undo, o the original page.
// A decided row stays where it is, with its undo. Without this module the same buttons submit ordinary forms.
import { isTyping } from "../js/keys.js";

const form = document.getElementById("queue");
if (form) start(form);

function start(form) {
  const body = form.querySelector("tbody");
  const told = form.querySelector("[data-count]");
  const clear = form.querySelector("[data-clear]");
  const dismiss = form.querySelector("#dismiss");
  const idle = told?.textContent;

  const rows = () => [...body.rows];
  const current = () => body.querySelector('tr[aria-current="true"]');
  const box = (row) => row.querySelector(".pick input");
  const chosen = () => rows().filter((row) => box(row)?.checked);

  function move(step) {
    const all = rows();
    const at = all.indexOf(current());
    const next = all[Math.max(0, Math.min(all.length - 1, at < 0 ? 0 : at + step))];
    makeCurrent(next);
    next.querySelector(".title").focus({ preventScroll: true });
    next.scrollIntoView({ block: "nearest" });
  }

  function makeCurrent(row) {
    current()?.removeAttribute("aria-current");
    row?.setAttribute("aria-current", "true");
  }

  function count() {
    if (!told) return;
    const number = chosen().length;
    for (const row of rows()) row.classList.toggle("on", Boolean(box(row)?.checked));
    told.textContent = number ? told.dataset.count.replace("#", number) : idle;
    clear.hidden = number === 0;
  }

  async function decide(row, action, reason = "") {
    const data = new FormData();
    data.set("csrf_token", form.elements.csrf_token.value);
    data.set("revision", row.dataset.revision);
    data.set("action", action);
    if (reason) data.set("dismiss_reason", reason);
    const answer = await fetch(row.dataset.decide, { method: "POST", body: data, headers: { "X-Yinji-Part": "row" } });
    if (!answer.ok) {
      location.assign(row.querySelector(".title").href); // the flag's page says what changed
      return;
    }
    const holder = document.createElement("tbody");
    holder.innerHTML = await answer.text(); // our own template, which escapes what comes from outside
    const fresh = holder.querySelector("tr");
    const wasCurrent = row === current();
    row.replaceWith(fresh);
    if (wasCurrent) {
      makeCurrent(fresh);
      fresh.querySelector(".title").focus({ preventScroll: true });
    }
    count();
  }

  const targets = () => (chosen().length ? chosen() : [current()].filter(Boolean));

  async function decideAll(action, reason) {
    for (const row of targets()) await decide(row, action, reason);
  }

  const keys = {
    j: () => move(1),
    k: () => move(-1),
    x: () => { const input = current() && box(current()); if (input) { input.checked = !input.checked; count(); } },
    c: () => current() && location.assign(`${current().querySelector(".title").href}#confirm`),
    w: () => told && decideAll("watch"),
    d: () => { if (dismiss && targets().length) { dismiss.open = true; dismiss.querySelector("input").focus(); } },
    u: () => { const row = current(); if (row?.querySelector("[data-undo]")) decide(row, "undo"); },
    o: () => current() && window.open(current().dataset.original, "_blank", "noopener,noreferrer"),
  };

  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && dismiss?.open) { dismiss.open = false; dismiss.querySelector("summary").focus(); return; }
    if (isTyping(event) || event.target.closest("#dismiss") || !(event.key in keys)) return;
    event.preventDefault();
    keys[event.key]();
  });

  form.addEventListener("change", (event) => event.target.closest(".pick") && count());
  form.addEventListener("reset", () => setTimeout(count));
  form.addEventListener("focusin", (event) => { const row = event.target.closest("tbody tr"); if (row) makeCurrent(row); });
  form.addEventListener("submit", (event) => {
    const button = event.submitter;
    const row = button?.closest("tbody tr");
    if (row && button.value === "undo") {
      event.preventDefault();
      decide(row, "undo");
    } else if (button?.value === "dismiss" && targets().length) {
      const reason = form.elements.dismiss_reason.value;
      if (!reason) return; // the server says what is missing
      event.preventDefault();
      dismiss.open = false;
      decideAll("dismiss", reason);
    }
  });
  count();
}
