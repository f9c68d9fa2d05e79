
"use strict";

/** Shows the session up to a moment, and lets that moment move on at the agent's own pace. */
(() => {
  const MAX_SILENCE_SECONDS = 2;
  const BINS = 150;
  const HEIGHT = 48;
  const SVG = "http://www.w3.org/2000/svg";

  const find = (id) => document.getElementById(id);
  const parts = [...document.querySelectorAll("[data-t]")].map((element) => ({
    element,
    at: Number(element.dataset.t),
    kind: (element.closest(".block") ?? element).classList[1],
    isBlock: element.classList.contains("block"),
  }));
  if (parts.length === 0) return;
  const end = parts[parts.length - 1].at;

  const isTrouble = ({ kind }) => kind === "stderr" || kind === "failure" || kind === "error";
  const isCall = ({ kind }) => kind === "call";

  const lastCall = parts.findLast(isCall)?.at ?? -1;
  const lastTrouble = parts.findLast(isTrouble)?.at ?? -1;

  let now = end;
  let shown = parts.length;
  let playing = false;
  let lastFrame = 0;

  find("player").hidden = false;
  find("scrubber").max = String(Math.max(end, 0.001));
  draw();
  const needle = document.createElementNS(SVG, "line");
  needle.setAttribute("y1", "0");
  needle.setAttribute("y2", String(HEIGHT));
  find("picture").append(needle);

  /** A bar for each stretch of time: how much was printed, and of what kind. */
  function draw() {
    const bins = Array.from({ length: BINS }, () => ({ stdout: 0, stderr: 0, call: 0 }));
    for (const part of parts) {
      if (part.isBlock) continue;
      const bin = bins[Math.min(BINS - 1, Math.floor((part.at / (end || 1)) * BINS))];
      const row = isTrouble(part) ? "stderr" : isCall(part) ? "call" : "stdout";
      bin[row] += Math.max(1, part.element.textContent.length);
    }
    const level = (count) => Math.log1p(count);
    const most = Math.max(...bins.flatMap((bin) => Object.values(bin).map(level)), 1);
    const width = 600 / BINS;
    bins.forEach((bin, at) => {
      let top = HEIGHT;
      for (const row of ["stdout", "stderr", "call"]) {
        if (bin[row] === 0) continue;
        const height = (level(bin[row]) / most) * (HEIGHT / 3);
        top -= height;
        const bar = document.createElementNS(SVG, "rect");
        bar.setAttribute("class", row);
        bar.setAttribute("x", String(at * width));
        bar.setAttribute("y", String(top));
        bar.setAttribute("width", String(width * 0.8));
        bar.setAttribute("height", String(height));
        find("picture").append(bar);
      }
    });
  }

  function clockText(seconds) {
    const minutes = Math.floor(seconds / 60);
    return `${minutes}:${(seconds - minutes * 60).toFixed(1).padStart(4, "0")}`;
  }

  /** Show what was there at a moment, and nothing that came later. */
  function show(moment) {
    now = Math.min(Math.max(moment, 0), end);
    while (shown < parts.length && parts[shown].at <= now) {
      parts[shown].element.classList.remove("later");
      shown += 1;
    }
    while (shown > 0 && parts[shown - 1].at > now) {
      shown -= 1;
      parts[shown].element.classList.add("later");
    }
    find("scrubber").value = String(now);
    find("clock").textContent = `${clockText(now)} of ${clockText(end)}`;
    const x = String((now / (end || 1)) * 600);
    needle.setAttribute("x1", x);
    needle.setAttribute("x2", x);
    find("next-call").disabled = now >= lastCall;
    find("next-trouble").disabled = now >= lastTrouble;
  }

  function setPlaying(wanted) {
    playing = wanted;
    find("play").textContent = playing ? "Pause" : "Play";
    find("play").setAttribute("aria-pressed", String(playing));
    if (!playing) return;
    if (now >= end) show(0);
    lastFrame = performance.now();
    requestAnimationFrame(step);
  }

  function step(frame) {
    if (!playing) return;
    const speed = Number(find("speed").value);
    const passed = (Math.max(0, frame - lastFrame) / 1000) * speed;
    lastFrame = frame;
    const next = shown < parts.length ? parts[shown].at : end;
    show(Math.max(now + passed, next - MAX_SILENCE_SECONDS));
    window.scrollTo(0, document.documentElement.scrollHeight);
    if (now >= end) setPlaying(false);
    else requestAnimationFrame(step);
  }

  function jump(isWanted) {
    const next = parts.find((part) => part.at > now && isWanted(part));
    if (next === undefined) return;
    setPlaying(false);
    show(next.at);
    next.element.scrollIntoView({ block: "center" });
  }

  find("play").addEventListener("click", () => setPlaying(!playing));
  find("scrubber").addEventListener("input", (event) => show(Number(event.target.value)));
  find("next-call").addEventListener("click", () => jump(isCall));
  find("next-trouble").addEventListener("click", () => jump(isTrouble));
  find("whole").addEventListener("click", () => {
    setPlaying(false);
    show(end);
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== " " || event.target.closest("button, select, input, summary")) return;
    event.preventDefault();
    setPlaying(!playing);
  });

  /** `#t=12.5` opens the file at that moment. */
  function showAsked() {
    const asked = /^#t=(\d+(?:\.\d+)?)$/.exec(location.hash);
    show(asked === null ? end : Number(asked[1]));
  }
  window.addEventListener("hashchange", showAsked);
  showAsked();
})();
