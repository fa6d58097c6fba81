// The theme changes at once; the link's own address keeps the choice in a cookie, as it does without JavaScript.
export function switchTheme() {
  const link = document.querySelector("[data-theme-switch]");
  link?.addEventListener("click", async (event) => {
    event.preventDefault();
    const target = new URL(link.href);
    document.documentElement.dataset.bsTheme = target.searchParams.get("to");
    await fetch(target, { redirect: "manual" });
    location.reload(); // the link's word changes with it
  });
}
