// The shell of every page. Everything works without it; it makes things quicker.
import { listenForKeys } from "./keys.js";
import { offerCopying } from "./copy.js";
import { switchTheme } from "./theme.js";

listenForKeys();
offerCopying();
switchTheme();

const current = document.querySelector(".nav-line [aria-current]");
const line = current?.closest(".nav-line");
if (line) line.scrollLeft = current.offsetLeft - line.clientWidth / 2; // on phones the present entry is in view
