// Live progress of a scan: asks for the counts until the scan is done, then loads the finished ledger once.
const EVERY_MS = 1500;
const SLOWEST_MS = 15000;
const box = document.querySelector("[data-progress]");

if (box) {
  const bar = box.querySelector("progress");
  const told = box.querySelector("[data-told]");
  let wait = EVERY_MS;

  const show = (state) => {
    bar.max = Math.max(state.total, 1);
    bar.value = state.done;
    told.textContent = told.dataset.told.replace("#done", state.done.toLocaleString("en")).replace("#total", state.total.toLocaleString("en"));
    for (const figure of document.querySelectorAll("[data-count]")) {
      figure.textContent = (state[figure.dataset.count] ?? 0).toLocaleString("en");
    }
  };

  const ask = async () => {
    try {
      const answer = await fetch(box.dataset.progress, { headers: { Accept: "application/json" } });
      if (!answer.ok) throw new Error(String(answer.status));
      const state = await answer.json();
      show(state);
      wait = EVERY_MS;
      if (state.state === "done") {
        location.reload();
        return;
      }
    } catch {
      wait = Math.min(wait * 2, SLOWEST_MS); // the portal is away for a moment; the scan is not
    }
    setTimeout(ask, wait);
  };
  setTimeout(ask, wait);
}
